//! What a report is written as, and where its audio goes.

use std::ffi::OsString;

use clap::{Args, ValueEnum};
use vbench_report::palette::{self, Palette};

/// How a report is written.
#[derive(Debug, Args, Clone)]
pub struct RenderArguments {
    /// What to write, comma-separated
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "html,md,json,png,svg")]
    pub format: Vec<ReportFormat>,
    /// The clips of the hardest utterances: in the page, in audio/ beside it, or left out
    #[arg(long, value_name = "PLACE", default_value = "embed")]
    pub audio: AudioPlace,
    /// With --audio embed: clips go into the page until this much is spent, the hardest utterances first; the page names
    /// what did not fit
    #[arg(long, value_name = "MIB", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=2048))]
    pub audio_budget_mib: u32,
    /// Colours of figures/*; the page follows its reader
    #[arg(long, value_name = "NAME", default_value = "light")]
    pub theme: Theme,
}

impl Default for RenderArguments {
    fn default() -> Self {
        use ReportFormat::{Html, Json, Md, Png, Svg};
        Self {
            format: vec![Html, Md, Json, Png, Svg],
            audio: AudioPlace::Embed,
            audio_budget_mib: 20,
            theme: Theme::Light,
        }
    }
}

impl RenderArguments {
    /// Whether a format is wanted.
    #[must_use]
    pub fn wants(&self, format: ReportFormat) -> bool {
        self.format.contains(&format)
    }

    /// The colours of figure files.
    #[must_use]
    pub fn palette(&self) -> Palette {
        match self.theme {
            Theme::Light => palette::LIGHT,
            Theme::Dark => palette::DARK,
        }
    }
}

/// A format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// report.html: one self-contained page
    Html,
    /// report.md: at most 65,000 characters, for a pull-request comment
    Md,
    /// summary.json: schema vbench/run/1
    Json,
    /// report.csv: one row per stratum and metric
    Csv,
    /// junit.xml: one test case per stratum and gate rule
    Junit,
    /// figures/*.png
    Png,
    /// figures/*.svg
    Svg,
    /// Annotations on standard output; the step summary goes to $GITHUB_STEP_SUMMARY, else to step-summary.md
    Github,
}

/// Colours of figure files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Theme {
    /// For white paper
    Light,
    /// For dark slides and pages
    Dark,
}

/// Where the audio of a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AudioPlace {
    /// In the page
    Embed,
    /// In files beside the page
    Folder,
    /// Nowhere
    None,
}

/// The hardest utterances as a folder.
#[derive(Debug, Args, Clone)]
pub struct ExportArguments {
    /// Write the N hardest utterances into DIR to listen through: clean and degraded audio, texts, alignment, receipt,
    /// index pages and a playlist
    #[arg(long, num_args = 2, value_names = ["N", "DIR"])]
    pub export_worst: Option<Vec<OsString>>,
}
