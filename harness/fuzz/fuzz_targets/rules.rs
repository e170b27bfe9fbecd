//! A rules file (GLM syntax if the first byte is odd), then a text through it; the two are parted by a NUL.
#![no_main]
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use vbench_score::{Normalizer, RuleSet};

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let Ok(rest) = std::str::from_utf8(rest) else { return };
    let (file, text) = rest.split_once('\0').unwrap_or((rest, ""));
    let name = if first % 2 == 1 { "f.glm" } else { "f.rules" };
    let Ok(rules) = RuleSet::parse(name, "", file) else { return };
    let rules = Normalizer::Rules(Arc::new(rules));
    let once = rules.normalize(text);
    assert_eq!(rules.explain(text).text, once);
});
