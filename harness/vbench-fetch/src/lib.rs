//! Pinned downloads: model and corpus registries, package clients, archives, sha256, cache.
