//! Audio of any length: windows of 30 s, each starting where the timestamps of the one before end.

use super::config::LANGUAGES;
use super::decode::{Decoded, Window};
use super::{DecodeOptions, EncoderContext, Rules, Segment, StageTimes, TIMESTAMP_STEP, Transcript, Whisper};
use crate::Error;
use crate::features::{HOP, LogMel, SAMPLE_RATE};
use rand::Rng;
use std::time::Instant;

/// Seconds of a frame.
const FRAME_S: f64 = HOP as f64 / SAMPLE_RATE as f64;
/// Frames of a timestamp step.
const STEP_FRAMES: usize = 2;
/// With conditioning, text sampled above this temperature is not used as a prompt.
const PROMPT_RESET_TEMPERATURE: f64 = 0.5;

/// One window of the audio, in frames.
#[derive(Clone, Copy)]
struct Span {
    seek: usize,
    frames: usize,
}

pub(super) fn transcribe(
    model: &Whisper,
    pcm: &[f32],
    options: &DecodeOptions,
    rng: &mut dyn Rng,
) -> Result<Transcript, Error> {
    check(model, options)?;
    let mut times = StageTimes::default();
    let clock = Instant::now();
    let mel = model.features(pcm)?;
    times.features = clock.elapsed();
    let special = model.special;
    let rules =
        Rules::new(special, &model.suppress, &model.suppress_first, options.timestamps, options.max_initial_timestamp);
    let mut language: Option<(usize, f64)> = fixed_language(model, options);
    // The last frame covers only the zero samples after the audio.
    let content = mel.frames() - 1;
    let (mut seek, mut windows, mut fallbacks, mut hottest) = (0, 0, 0, 0.0f64);
    let (mut segments, mut history) = (Vec::<Segment>::new(), Vec::<u32>::new());
    while seek < content {
        let span = Span { seek, frames: (content - seek).min(model.window_frames()) };
        let clock = Instant::now();
        let encoded = encode(model, &mel, span, options.encoder_context);
        times.encoder += clock.elapsed();
        let clock = Instant::now();
        let audio = model.decoder.audio_context(&encoded);
        let (index, _) = *language.get_or_insert_with(|| most_probable(&model.language_probabilities(&audio)));
        let prompt = prompt(model, &history, index, options.timestamps);
        let window = Window {
            decoder: &model.decoder,
            tokenizer: &model.tokenizer,
            special,
            rules: &rules,
            audio: &audio,
            prompt: &prompt,
        };
        let decoded = window.decode(options, rng);
        times.decoder += clock.elapsed();
        if !decoded.avg_logprob.is_finite() || !decoded.no_speech_prob.is_finite() {
            return Err(Error::NotFinite { seek_s: seek as f64 * FRAME_S });
        }
        windows += 1;
        fallbacks += decoded.fallbacks;
        hottest = hottest.max(decoded.last_temperature);
        if is_silent(&decoded, options) {
            seek += span.frames;
            continue;
        }
        let (parts, next) = split(&decoded.tokens, special.first_timestamp, span);
        seek = next;
        for (start_s, end_s, tokens) in parts {
            let text = model.tokenizer.decode(&tokens);
            if start_s == end_s || text.trim().is_empty() {
                continue;
            }
            history.extend(&tokens);
            let Decoded { avg_logprob, no_speech_prob, compression_ratio, temperature, .. } = decoded;
            segments.push(Segment {
                start_s,
                end_s,
                text,
                tokens,
                avg_logprob,
                no_speech_prob,
                compression_ratio,
                temperature,
            });
        }
        if !options.condition_on_previous_text || decoded.last_temperature > PROMPT_RESET_TEMPERATURE {
            history.clear();
        }
    }
    let (index, language_probability) = language.unwrap_or((0, 1.0));
    let text: String = segments.iter().map(|s| s.text.as_str()).collect();
    let (text, language) = (text.trim().to_owned(), LANGUAGES[index].to_owned());
    Ok(Transcript { text, language, language_probability, segments, windows, fallbacks, hottest, times })
}

fn check(model: &Whisper, options: &DecodeOptions) -> Result<(), Error> {
    let bad = |option: &'static str, what: String| Err(Error::Option { option, what });
    if options.temperatures.is_empty() || options.temperatures.iter().any(|t| !(0.0..=10.0).contains(t)) {
        return bad("temperatures", format!("{:?}, expected at least one, each within 0 to 10", options.temperatures));
    }
    if !(1..=64).contains(&options.best_of) {
        return bad("best_of", format!("{}, expected 1 to 64", options.best_of));
    }
    if let Some(code) = &options.language
        && !model.info.languages.contains(&code.as_str())
    {
        return bad(
            "language",
            format!("{code:?} is not known to {}, which knows {}", model.info.name, model.info.languages.join(" ")),
        );
    }
    if let EncoderContext::AudioPlus(s) = options.encoder_context
        && !(0.0..=30.0).contains(&s)
    {
        return bad("encoder_context", format!("audio plus {s} s, expected 0 to 30"));
    }
    Ok(())
}

/// Index and probability of the language, if it need not be detected.
fn fixed_language(model: &Whisper, options: &DecodeOptions) -> Option<(usize, f64)> {
    if !model.info.config.multilingual() {
        return Some((0, 1.0));
    }
    let code = options.language.as_deref()?;
    LANGUAGES.iter().position(|l| *l == code).map(|i| (i, 1.0))
}

fn most_probable(probabilities: &[f64]) -> (usize, f64) {
    let better = |best: (usize, f64), (i, p): (usize, &f64)| if *p > best.1 { (i, *p) } else { best };
    probabilities.iter().enumerate().fold((0, 0.0), better)
}

fn encode(model: &Whisper, mel: &LogMel, span: Span, context: EncoderContext) -> Vec<f32> {
    let full = model.window_frames();
    let frames = match context {
        EncoderContext::Full30s => full,
        EncoderContext::AudioPlus(s) => (span.frames + (s / FRAME_S).round() as usize).next_multiple_of(2).min(full),
    };
    model.encoder.forward(&mel.values[span.seek * mel.mels..(span.seek + span.frames) * mel.mels], frames)
}

/// Previous text (at most half the context), then the tokens that say language, task and mode.
fn prompt(model: &Whisper, history: &[u32], language: usize, timestamps: bool) -> Vec<u32> {
    let special = model.special;
    let mut prompt = Vec::new();
    if !history.is_empty() {
        let room = model.info.config.text_context / 2 - 1;
        prompt.push(special.start_of_previous);
        prompt.extend(&history[history.len().saturating_sub(room)..]);
    }
    prompt.push(special.start);
    if model.info.config.multilingual() {
        prompt.extend([special.first_language + language as u32, special.transcribe]);
    }
    if !timestamps {
        prompt.push(special.no_timestamps);
    }
    prompt
}

/// Whether the window holds no speech: likely by the no-speech token, and the text is not probable either.
fn is_silent(decoded: &Decoded, options: &DecodeOptions) -> bool {
    let quiet = options.no_speech_threshold.is_some_and(|t| decoded.no_speech_prob > t);
    quiet && options.logprob_threshold.is_none_or(|t| decoded.avg_logprob <= t)
}

/// Segments of a window's tokens (start and end in seconds of the audio, tokens), and where the next window starts.
///
/// Two timestamps side by side end one segment and start the next. A single timestamp at the very end says that nothing follows, so the
/// whole window is done; otherwise text after the last pair is unfinished and decoded again from there.
fn split(tokens: &[u32], first_timestamp: u32, span: Span) -> (Vec<(f64, f64, Vec<u32>)>, usize) {
    let is_time = |t: u32| t >= first_timestamp;
    let offset = span.seek as f64 * FRAME_S;
    let steps = |t: u32| t.saturating_sub(first_timestamp) as usize;
    let at = |t: u32| offset + steps(t) as f64 * TIMESTAMP_STEP;
    let ends_open = matches!(tokens, [.., a, b] if !is_time(*a) && is_time(*b));
    let mut cuts: Vec<usize> = (1..tokens.len()).filter(|i| is_time(tokens[*i]) && is_time(tokens[*i - 1])).collect();
    if cuts.is_empty() {
        let last = tokens.iter().rev().find(|t| is_time(**t)).map_or(0, |t| steps(*t));
        let duration = if last > 0 { last as f64 * TIMESTAMP_STEP } else { span.frames as f64 * FRAME_S };
        return (vec![(offset, offset + duration, tokens.to_vec())], span.seek + span.frames);
    }
    if ends_open {
        cuts.push(tokens.len());
    }
    let mut parts = Vec::new();
    let mut start = 0;
    for cut in cuts {
        let part = &tokens[start..cut];
        if let [first, .., last] = part {
            parts.push((at(*first), at(*last), part.to_vec()));
        }
        start = cut;
    }
    let advance = if ends_open { span.frames } else { steps(tokens[start - 1]) * STEP_FRAMES };
    // A window must move on, or a model that answers <|0.00|><|0.00|> would be asked for ever.
    (parts, span.seek + if advance == 0 { span.frames } else { advance })
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: u32 = 50_363;

    fn span() -> Span {
        Span { seek: 1000, frames: 3000 }
    }

    #[test]
    fn pairs_cut_segments_and_the_last_pair_is_where_the_next_window_starts() {
        let tokens = [T, 5, 6, T + 100, T + 110, 7, T + 200, T + 200, 8, 9];
        let (parts, next) = split(&tokens, T, span());
        let times: Vec<(f64, f64)> = parts.iter().map(|p| (p.0, p.1)).collect();
        assert_eq!(times, [(10.0, 12.0), (12.2, 14.0)]);
        assert_eq!(parts[1].2, [T + 110, 7, T + 200]);
        assert_eq!(next, 1400, "text after the last pair is decoded again");
    }

    #[test]
    fn a_single_timestamp_at_the_end_finishes_the_window() {
        let (parts, next) = split(&[T, 5, T + 50, T + 50, 6, T + 75], T, span());
        assert_eq!(parts.len(), 2);
        assert_eq!((parts[1].0, parts[1].1, next), (11.0, 11.5, 4000));
    }

    #[test]
    fn without_pairs_the_window_is_one_segment() {
        assert_eq!(split(&[T, 5, T + 150], T, span()), (vec![(10.0, 13.0, vec![T, 5, T + 150])], 4000));
        assert_eq!(split(&[5, 6], T, span()), (vec![(10.0, 40.0, vec![5, 6])], 4000));
    }

    #[test]
    fn a_window_always_moves_on() {
        assert_eq!(split(&[T, T], T, span()).1, 4000);
        assert_eq!(split(&[], T, span()).1, 4000);
    }
}
