//! The reference models behind the harness's Model trait.
