//! `vbench report RUN --baseline RUN` and `vbench compare … --html FILE`: two runs side by side.

use std::path::Path;

use rayon::prelude::*;
use serde_json::Value;
use vbench_compare::explain::Carrier;
use vbench_compare::{Coverage, Moved, Pair, Pairing, Side, SideCell, Summary, SummaryHead, moved, summarize};
use vbench_core::ExitCode;
use vbench_report::{
    AlignedToken, Analysed, AudioClip, ComparedSide, ComparisonInput, Figure, MovedCell, ReportError, ReportInput,
    SoundPicture, comparison_figures, comparison_html, comparison_page_json, comparison_page_markdown, comparison_text,
};
use vbench_score::score_pair;
use vbench_store::folder::write_derived;
use vbench_suite::Suite;

use crate::cli::{AudioPlace, CacheArguments, RenderArguments, ReportArguments, ReportFormat};
use crate::clips::Audio;
use crate::commands::compare::{Compared, of_sides, text_width, two_runs};
use crate::commands::report::suite_of;
use crate::failure::{Failure, note, say};
use crate::render::{aligned_tokens, coloured, condition_sentences, facts_of};
use crate::score::Rules;
use crate::side::LoadedRun;
use crate::side_by_side::Together;

/// Utterances shown that were broken, and as many that were fixed.
const SHOWN: usize = 10;

/// Refuses what only the report of one run has.
pub fn check(arguments: &ReportArguments, what: &str) -> Result<(), Failure> {
    use ReportFormat::{Csv, Github, Junit};
    let usage = |text: String| Err(Failure::new(ExitCode::Usage, text));
    if [Csv, Junit, Github].into_iter().any(|format| arguments.render.wants(format)) {
        return usage(format!(
            "{what} is written as html, md, json, png and svg; csv, junit and github are of one run"
        ));
    }
    if arguments.export.export_worst.is_some() {
        return usage(format!("--export-worst is of one run, not of {what}"));
    }
    Ok(())
}

/// Writes the formats asked for: comparison.html, .md, .json and figures/.
pub fn report(baseline: &Path, arguments: &ReportArguments) -> Result<ExitCode, Failure> {
    check(arguments, "a comparison")?;
    let [run] = arguments.runs.as_slice() else {
        return Err(Failure::new(ExitCode::Usage, "--baseline compares one run: give one RUN"));
    };
    let models = (arguments.a_model.as_deref(), arguments.b_model.as_deref());
    let ((a, name_a), (b, name_b)) = two_runs(baseline, run, models)?;
    let out = arguments.out.as_deref().unwrap_or(&b.path);
    let options = &arguments.render;
    let text = of_sides((&a, &name_a), (&b, &name_b), (&arguments.scoring, true), |compared| {
        with_input(&compared, (options, &arguments.cache), |input| {
            let json = format!("{:#}", comparison_page_json(input));
            write(out, input, &json, options)?;
            Ok(if arguments.json { json } else { comparison_text(input.comparison, text_width(), coloured()) })
        })
    })?;
    say(text);
    tell_where(out, "comparison", options);
    Ok(if interrupted(&a) || interrupted(&b) { ExitCode::Incomplete } else { ExitCode::Passed })
}

/// Names the file to open first, of those that were written.
pub fn tell_where(out: &Path, stem: &str, options: &RenderArguments) {
    use ReportFormat::{Html, Json, Md, Png, Svg};
    let files = [(Html, "html"), (Md, "md"), (Json, "json")];
    let file = files.iter().find(|(f, _)| options.wants(*f)).map(|(_, extension)| format!("{stem}.{extension}"));
    let figures = || (options.wants(Png) || options.wants(Svg)).then(|| "figures".to_owned());
    if let Some(name) = file.or_else(figures) {
        note(format_args!("report: {}", out.join(name).display()));
    }
}

/// The extension of the figures that Markdown may link to, where any are written.
pub fn linked_figures(options: &RenderArguments) -> Option<&'static str> {
    let formats = [(ReportFormat::Svg, "svg"), (ReportFormat::Png, "png")];
    formats.iter().find(|(f, _)| options.wants(*f)).map(|(_, extension)| *extension)
}

fn write(out: &Path, input: &ComparisonInput<'_>, json: &str, options: &RenderArguments) -> Result<(), Failure> {
    let wants = |format| options.wants(format);
    if wants(ReportFormat::Html) {
        write_clips(out, input)?;
        write_derived(out, "comparison.html", comparison_html(input).map_err(not_rendered)?.as_bytes())?;
    }
    if wants(ReportFormat::Md) {
        write_derived(out, "comparison.md", comparison_page_markdown(input, linked_figures(options)).as_bytes())?;
    }
    if wants(ReportFormat::Json) {
        write_derived(out, "comparison.json", json.as_bytes())?;
    }
    write_figures(out, options, || comparison_figures(input, options.palette()))
}

/// Clips that lie beside the page.
fn write_clips(out: &Path, input: &ComparisonInput<'_>) -> Result<(), Failure> {
    for clip in input.broken.iter().chain(&input.fixed).flat_map(|m| [&m.audio_a, &m.audio_b]).flatten() {
        if let Some(href) = &clip.href {
            write_derived(out, href, &clip.bytes)?;
        }
    }
    Ok(())
}

/// PNG and SVG, as far as they are wanted.
pub fn write_figures(
    out: &Path,
    options: &RenderArguments,
    draw: impl FnOnce() -> Result<Vec<Figure>, ReportError>,
) -> Result<(), Failure> {
    let (png, svg) = (options.wants(ReportFormat::Png), options.wants(ReportFormat::Svg));
    if !png && !svg {
        return Ok(());
    }
    for figure in draw().map_err(not_rendered)? {
        if png {
            write_derived(out, &format!("figures/{}.png", figure.name), &figure.png)?;
        }
        if svg {
            write_derived(out, &format!("figures/{}.svg", figure.name), figure.svg.as_bytes())?;
        }
    }
    Ok(())
}

/// A page that could not be made: a broken build, never the data.
pub fn not_rendered(e: ReportError) -> Failure {
    Failure::new(ExitCode::OutputNotWritten, format!("the page could not be rendered: {e}"))
}

/// Writes the page alone, into one file.
pub fn write_html(file: &Path, compared: &Compared<'_>, cache: &CacheArguments) -> Result<(), Failure> {
    let options = RenderArguments::default();
    let html = with_input(compared, (&options, cache), |input| comparison_html(input).map_err(not_rendered))?;
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(name) = file.file_name().and_then(|n| n.to_str()) else {
        return Err(Failure::new(ExitCode::Usage, format!("--html {}: not the name of a file", file.display())));
    };
    write_derived(folder, name, html.as_bytes())?;
    note(format_args!("page: {}", file.display()));
    Ok(())
}

/// Whether planned cells are missing that were not left out on purpose.
fn interrupted(run: &LoadedRun) -> bool {
    outstanding(run) > 0 && !run.record.stopped_early()
}

fn outstanding(run: &LoadedRun) -> usize {
    let planned = run.record.record["planned"].as_u64().map_or(run.record.rows.len(), |n| n as usize);
    planned.saturating_sub(run.record.rows.len())
}

/// The suites of both runs, where they can still be loaded, to make sounds again.
struct Clips {
    a: Option<Suite>,
    b: Option<Suite>,
}

impl Clips {
    fn of(compared: &Compared<'_>, options: &RenderArguments, cache: &CacheArguments) -> Result<Self, Failure> {
        if options.audio == AudioPlace::None {
            return Ok(Self { a: None, b: None });
        }
        let (a, b) = (suite_of(&compared.a.0.record, cache)?, suite_of(&compared.b.0.record, cache)?);
        if a.is_none() || b.is_none() {
            note("the suite of at least one run cannot be loaded here: its side has no audio players");
        }
        Ok(Self { a, b })
    }
}

fn with_input<T>(
    compared: &Compared<'_>,
    (options, cache): (&RenderArguments, &CacheArguments),
    then: impl FnOnce(&ComparisonInput<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let clips = Clips::of(compared, options, cache)?;
    let (audio_a, audio_b) = (clips.a.as_ref().map(Audio::of_suite), clips.b.as_ref().map(Audio::of_suite));
    for audio in [&audio_a, &audio_b].into_iter().flatten() {
        audio.prepare_pool();
    }
    let moved: Moved = moved(&compared.pairing.pairs);
    let shown = |list: &[Carrier]| -> Result<Vec<MovedCell>, Failure> {
        let one = |carrier: &Carrier| moved_cell(carrier, compared, (audio_a.as_ref(), audio_b.as_ref()));
        let cells: Vec<Option<MovedCell>> =
            list[..list.len().min(SHOWN)].par_iter().map(one).collect::<Result<_, Failure>>()?;
        Ok(cells.into_iter().flatten().collect())
    };
    let (summary_a, summary_b) = (shared(compared, true), shared(compared, false));
    let (mut broken, mut fixed) = (shown(&moved.broken)?, shown(&moved.fixed)?);
    place_clips(&mut broken, &mut fixed, options);
    let a = side(compared.a, compared.b, compared.rules, &summary_a);
    let b = side(compared.b, compared.a, compared.rules, &summary_b);
    let Together { summary, analysis, cells } = Together::of(compared, &moved, (&a.name, &b.name))?;
    let together = ReportInput {
        summary: &summary,
        conditions: Vec::new(),
        worst: Vec::new(),
        analysis: Some(Analysed { analysis: &analysis, pictures: Vec::new() }),
        cells,
        gate: None,
        identity: Vec::new(),
        provenance: Vec::new(),
    };
    let input = ComparisonInput {
        comparison: &compared.comparison,
        a,
        b,
        together,
        broken,
        fixed,
        moved: &moved,
        conditions: condition_sentences(&compared.b.0.record.record).into_iter().filter(|c| !c.1.is_empty()).collect(),
    };
    then(&input)
}

/// Embeds clips until the budget is spent, or names the files beside the page that they go into.
fn place_clips(broken: &mut [MovedCell], fixed: &mut [MovedCell], options: &RenderArguments) {
    let mut left = u64::from(options.audio_budget_mib) << 20;
    for (kind, cells) in [("broken", broken), ("fixed", fixed)] {
        for (i, cell) in cells.iter_mut().enumerate() {
            for (side, audio) in [("a", &mut cell.audio_a), ("b", &mut cell.audio_b)] {
                let Some(clip) = audio else { continue };
                if options.audio == AudioPlace::Folder {
                    clip.href = Some(format!("audio/{kind}-{:02}-{side}.opus", i + 1));
                    continue;
                }
                // What Base64 makes of it.
                let size = clip.bytes.len().div_ceil(3) as u64 * 4;
                if size > left {
                    left = 0;
                    *audio = None;
                    let text = format!("no audio: the budget of {} MiB is spent", options.audio_budget_mib);
                    cell.audio_note = Some(text);
                } else {
                    left -= size;
                }
            }
        }
    }
}

/// Counts and estimates of one side over the shared cells.
fn shared(compared: &Compared<'_>, first: bool) -> Summary {
    let head = &compared.comparison.head;
    let head = SummaryHead {
        suite: head.suite.clone(),
        normalizer: head.normalizer.clone(),
        weights: head.weights.clone(),
        seed: head.seed,
        primary: head.metrics.first().map_or("wer", |m| m.name()).into(),
        absent: Vec::new(),
        conditions: Vec::new(),
        signal_metrics: Vec::new(),
        strata: Vec::new(),
        overall: Vec::new(),
        latency_budget_ms: None,
    };
    let Pairing { pairs, .. } = compared.pairing;
    let cells: Vec<_> = pairs.iter().map(|p| if first { &p.a.scored } else { &p.b.scored }).cloned().collect();
    summarize(head, &cells, &[], Vec::new(), Coverage::default())
}

/// A side; where both models have one name, its run tells them apart.
fn side<'s>(
    (run, side): (&LoadedRun, &Side),
    (_, other): (&LoadedRun, &Side),
    rules: &Rules,
    summary: &'s Summary,
) -> ComparedSide<'s> {
    let folder = run.path.file_name().map_or_else(|| run.path.display().to_string(), |n| n.to_string_lossy().into());
    let (identity, provenance) = facts_of(&run.path, &run.record, rules);
    ComparedSide {
        name: if side.model == other.model { format!("{} in {folder}", side.model) } else { side.model.clone() },
        summary,
        done: side.cells.len(),
        failed: side.unscored.len(),
        outstanding: outstanding(run),
        identity,
        provenance,
    }
}

fn moved_cell(
    carrier: &Carrier,
    compared: &Compared<'_>,
    (audio_a, audio_b): (Option<&Audio<'_>>, Option<&Audio<'_>>),
) -> Result<Option<MovedCell>, Failure> {
    let place = format!("{}/{}", carrier.utterance, carrier.condition);
    let Some(pair) = compared.pairing.pairs.iter().find(|p| p.b.place() == place) else { return Ok(None) };
    let clip = |audio: Option<&Audio<'_>>,
                run: &LoadedRun,
                cell: &SideCell|
     -> Option<Result<(AudioClip, SoundPicture), String>> {
        let row = run.record.rows.iter().find(|r| r.cell == cell.scored.cell)?;
        Some(audio?.clip(row))
    };
    let same_audio = pair.a.audio_sha256 == pair.b.audio_sha256;
    let mut audio_note = None;
    let mut kept = |made: Option<Result<(AudioClip, SoundPicture), String>>| match made {
        Some(Ok((clip, picture))) => (Some(clip), Some(picture)),
        Some(Err(why)) => {
            audio_note = Some(format!("no audio: {why}"));
            (None, None)
        }
        None => (None, None),
    };
    let (audio_a, picture_a) = kept(clip(audio_a, compared.a.0, pair.a));
    let (audio_b, picture_b) =
        if same_audio && audio_a.is_some() { (None, None) } else { kept(clip(audio_b, compared.b.0, pair.b)) };
    let Pair { a, b } = *pair;
    Ok(Some(MovedCell {
        carrier: carrier.clone(),
        errors: (a.scored.words.errors(), b.scored.words.errors()),
        alignment_a: aligned(a, compared.rules)?,
        alignment_b: aligned(b, compared.rules)?,
        audio_a,
        audio_b,
        picture_a,
        picture_b,
        audio_note,
        same_audio,
    }))
}

fn aligned(cell: &SideCell, rules: &Rules) -> Result<Vec<AlignedToken>, Failure> {
    let score = score_pair(&cell.reference, &cell.hypothesis, &rules.normalizer, rules.weights)
        .map_err(|e| Failure::new(ExitCode::InputInvalid, format!("{}: {e}", cell.scored.cell)))?;
    Ok(aligned_tokens(&score))
}

/// A value that is text.
pub(crate) fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_string)
}
