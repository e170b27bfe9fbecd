//! What can go wrong when a report is rendered.

/// Why a report or figure could not be made.
///
/// None of these depends on the transcripts: hostile or empty input renders; these tell of a broken build or of
/// memory limits.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The embedded font was refused.
    #[error("embedded font {face} was refused by the drawing library")]
    Font {
        /// Face, e.g. `DejaVu Sans Bold`.
        face: &'static str,
    },
    /// A figure could not be drawn.
    #[error("figure {figure} could not be drawn as {format}: {message}")]
    Draw {
        /// Figure name, e.g. `wer-by-condition`.
        figure: String,
        /// `PNG` or `SVG`.
        format: &'static str,
        /// What the drawing library said.
        message: String,
    },
    /// A figure could not be encoded.
    #[error("figure {figure}: {width} x {height} pixels could not be encoded as PNG")]
    Png {
        /// Figure name.
        figure: String,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// What the encoder said.
        source: png::EncodingError,
    },
    /// A template could not be rendered.
    #[error("template {template} could not be rendered: {source:#}")]
    Template {
        /// Template name.
        template: &'static str,
        /// What the template engine said.
        source: minijinja::Error,
    },
    /// Data for the script of a page could not be written.
    #[error("data block {block} could not be written as JSON: {source}")]
    Data {
        /// Id of the block.
        block: &'static str,
        /// What the writer said.
        source: serde_json::Error,
    },
}
