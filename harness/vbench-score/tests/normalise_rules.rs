//! Rules files: what they do, and what is said about lines that cannot be used.

use std::sync::Arc;

use proptest::prelude::*;
use vbench_score::{Normalizer, RuleSet, ScoreError};

fn rules(file: &str) -> Normalizer {
    Normalizer::Rules(Arc::new(RuleSet::parse("house.rules", "89abcdef0123", file).unwrap_or_else(|e| panic!("{e}"))))
}

fn applied(file: &str, text: &str) -> String {
    rules(file).normalize(text).into_owned()
}

fn glm(file: &str) -> Result<Normalizer, ScoreError> {
    RuleSet::parse("x.GLM", "", file).map(|r| Normalizer::Rules(Arc::new(r)))
}

#[test]
fn word_rules_match_whole_words() {
    assert!(RuleSet::parse("f", "", "a => b => c").unwrap_err().to_string().contains("one `=>` in a rule"));
    let file = "# comment\n\ngoing   to => gonna\nuh =>\nuh huh => yes\n";
    assert_eq!(applied(file, " I am  going to\tgo  uh forgoing to uh"), "I am gonna go forgoing to");
    // The first rule of the file that matches is taken, though a longer one follows.
    assert_eq!(applied(file, "uh huh"), "huh");
    assert_eq!(applied("uh huh => yes\nuh =>", "uh huh uh uh"), "yes");
    assert_eq!(applied("a => b", "a a a"), "b b b");
    assert_eq!(applied("a => b", ""), "");
    assert_eq!(applied("", " as  it is "), " as  it is ");
}

#[test]
fn results_are_not_read_again_until_the_next_pass() {
    assert_eq!(applied("a => b\nb => a", "a b"), "b a");
    assert_eq!(applied("a => b\n---\nb => c", "a b"), "c c");
    assert_eq!(applied("a => a a\n-----\na => a a", "a"), "a a a a");
    // Each expression is a pass of its own, in the order of the file.
    assert_eq!(applied("/b/ => c\na => b\n/b/ => d", "a b"), "d c");
    assert_eq!(applied("/a/ => aa", "a"), "aa");
}

#[test]
fn contexts_are_words_of_the_text_as_it_was() {
    let file = "kay => k / o __\nto => two / __ of them\nx => y / a __ b c";
    assert_eq!(applied(file, "o kay kay to of them to of a x b c x b"), "o k kay two of them to of a y b c x b");
    assert_eq!(applied("a => b / a __", "a a a"), "a b b");
}

#[test]
fn case_is_matched_or_ignored() {
    assert_eq!(applied("colour => color", "Colour colour"), "Colour color");
    assert_eq!(applied("case = ignore\nColour => color", "Colour COLOUR"), "color color");
    assert_eq!(applied("case = ignore\nÉtÉ => summer", "été ÉTÉ"), "summer summer");
    assert_eq!(applied("case = ignore\n/ab/ => x", "AB"), "x");
    assert_eq!(applied("/ab/i => x\n/cd/ => y", "AB CD"), "x CD");
}

#[test]
fn expressions_have_groups_and_escapes() {
    assert_eq!(applied(r"/(\d+) ?kms?\b/ => $1 kilometres", "5km 7 kms"), "5 kilometres 7 kilometres");
    assert_eq!(applied(r"/(?<n>\d+) \/ (\d+)/ => ${n}th$$$2", "3 / 4"), "3th$4");
    assert_eq!(applied("/[\\p{Telugu}]+/ =>", "a వర్షాలు b"), "a b");
    assert_eq!(applied("/^ *the /=> ", "the end the"), "end the");
}

#[test]
fn bases_come_before_and_after() {
    let file = "before = whisper-en\nafter = basic+split-letters\nmister => mr";
    assert_eq!(applied(file, "Mr. O'Neil"), "m r 0 n e i l");
    assert_eq!(rules(file).id(), "rules:house@89abcdef");
    assert_eq!(rules(file).name(), "rules:house@89abcdef");
}

#[test]
fn ids_take_the_file_name_without_folder_and_ending() {
    let id = |file: &str, hash: &str| RuleSet::parse(file, hash, "a => b").unwrap().id().to_owned();
    assert_eq!(id("dir/my rules.v2.rules", "0123456789"), "rules:my_rules.v2@01234567");
    assert_eq!(id("C:\\x\\en@1", "DEADBEEF00"), "rules:en_1@DEADBEEF");
    assert_eq!(id("తె.rules", ""), "rules:తె@");
}

#[test]
fn every_line_that_cannot_be_used_is_named() {
    let file = "before = whisper\nfoo = bar\ncase = maybe\ncase = ignore\nwords only\n=> b\na => b / c d\na => b / __ __\n\
                good => fine\nafter = none\n/(/ => x\n/x/ => $2\n/x/ => ${name}\n/x/q => y\n/x\n//=> y\n/(?=a)b/ => c\n/x/ y\n";
    let error = RuleSet::parse("dir/bad.rules", "", file).unwrap_err();
    let ScoreError::Rules { file, problems } = &error else { panic!("{error:?}") };
    assert_eq!(file, "dir/bad.rules");
    let lines: Vec<usize> = problems.iter().map(|p| p.line).collect();
    assert_eq!(lines, [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18]);
    let text = error.to_string();
    assert!(text.starts_with("dir/bad.rules: 17 lines that cannot be used\n  line 1: found \"whisper\", expected"));
    for part in [
        "known: none, basic",
        "found \"foo\", expected a setting",
        "found \"maybe\", expected `match` or `ignore`",
        "each setting once",
        "found \"words only\", expected `WORDS => WORDS`",
        "found \"=> b\", expected words before `=>`",
        "found \"/ c d\", expected `/ LEFT __ RIGHT` with one `__`",
        "line 10: found \"after\", expected settings before the first rule",
        "unclosed group",
        "found \"$2\", expected a group of the expression",
        "found \"$name\"",
        "found \"q\", expected no flag",
        "look-around",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let one = RuleSet::parse("f", "", "x").unwrap_err().to_string();
    assert!(one.starts_with("f: 1 line that cannot be used\n  line 1: found \"x\""), "{one}");
}

#[test]
fn glm_files_are_read_and_what_is_not_supported_is_refused() {
    let file = ";; NIST style\n* name \"x\"\n* desc = 'd'\n* format = 'NIST1'\n* max_nrules = '9'\n* copy_no_hit = 'T'\n\
                * case_sensitive = 'F'\n\n;; INPUT_DEPENDENT_APPLICATION = \".*\"\n\
                UH => %HESITATION / [ ] __ [ ] ;; hesitation\nCANCELLED => CANCELED ;; anywhere\n\
                FALKNER => FAULKNER / [WILLIAM ] __\nOK => [O. K.] / [ ] __ [ ]\nA/C => AIR\n";
    let rules = glm(file).unwrap();
    let text = "uh uhh uncancelled William falkner falkner ok, ok";
    assert_eq!(rules.normalize(text), "%HESITATION UHH UNCANCELED WILLIAM FAULKNER FALKNER OK, O. K.");
    let sensitive = glm("# c\n* case_sensitive = \"T\"\nuh => um\n").unwrap();
    assert_eq!(sensitive.normalize("uh UH"), "um UH");
    let bad = ";; c\n* copy_no_hit = 'F'\n* format = 'NIST9'\n* nothing\n* case_sensitive = 'maybe'\n\
               HE'S => [{HE IS / HE HAS}] / [ ] __ [ ]\n;; INPUT_DEPENDENT_APPLICATION = \"hyp\"\nNO ARROW\n[] => X\nA => B / C\n";
    let error = glm(bad).unwrap_err();
    let ScoreError::Rules { problems, .. } = &error else { panic!("{error:?}") };
    assert_eq!(problems.iter().map(|p| p.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7, 8, 9, 10], "{error}");
    for text in ["", "A => B\n", "* name 'x'\n"] {
        assert!(glm(text).unwrap_err().to_string().contains("whose first token"), "{text}");
    }
}

#[test]
fn rules_cannot_make_a_text_grow_without_limit() {
    let literal = "a => a a a a a a a a\n---\n".repeat(40);
    let expression = "/a/ => aaaaaaaa\n".repeat(40);
    for file in [literal, expression] {
        let length = applied(&file, "a a a").len();
        assert!((300_000..2_000_000).contains(&length), "{length}");
    }
    let many = "/a/ => b\n".repeat(257);
    assert!(RuleSet::parse("f", "", &many).unwrap_err().to_string().contains("at most 256"));
    let large = RuleSet::parse("f", "", r"/(\w{100}){100}/ => x").unwrap_err().to_string();
    assert!(large.contains("size limit"), "{large}");
    assert!(RuleSet::parse("f", "", &"#".repeat((8 << 20) + 1)).is_err());
}

#[test]
fn a_long_text_and_many_rules_take_linear_time() {
    let rules = rules(&(0..20_000).map(|i| format!("w{i} x => v{i}\n")).collect::<String>());
    let text: String = (0..100_000).map(|i| format!("w{} x ", i % 30_000)).collect();
    let got = rules.normalize(&text);
    assert!(got.starts_with("v0 v1 v2 ") && got.contains(" w20000 x "));
    let one_word = "ab".repeat(1 << 20);
    assert_eq!(rules.normalize(&one_word), one_word);
}

proptest! {
    #[test]
    fn any_file_and_text_give_an_answer_or_an_error(
        lines in prop::collection::vec(prop_oneof![
            "[a-c]{1,2}( [a-c]{1,2})? => [a-c /_]{0,6}", "/[a-c.*+()|\\[\\]\\\\]{0,5}/ => [a-c$0-2]{0,4}", "(case|before) = .{0,9}", "\\PC{0,12}", "---",
        ], 0..8),
        text in "([a-c]{1,2} ){0,8}\\PC{0,3}",
        name in "[a-z]{0,2}(\\.glm|\\.rules)?",
    ) {
        let file = lines.join("\n");
        if let Ok(rules) = RuleSet::parse(&name, "00", &file) {
            let rules = Normalizer::Rules(Arc::new(rules));
            prop_assert_eq!(&rules.explain(&text).text, &rules.normalize(&text));
        }
    }

    #[test]
    fn word_rules_are_a_plain_search_over_words(
        list in prop::collection::vec((prop::collection::vec("[ab]", 1..3), prop::collection::vec("[abc]", 0..3)), 1..5),
        text in prop::collection::vec("[ab]", 0..12),
    ) {
        let file: String = list.iter().map(|(from, to)| format!("{} => {}\n", from.join(" "), to.join(" "))).collect();
        let mut want: Vec<&str> = Vec::new();
        let mut at = 0;
        while at < text.len() {
            match list.iter().find(|(from, _)| text[at..].starts_with(from)) {
                Some((from, to)) => {
                    want.extend(to.iter().map(String::as_str));
                    at += from.len();
                }
                None => {
                    want.push(&text[at]);
                    at += 1;
                }
            }
        }
        prop_assert_eq!(applied(&file, &text.join(" ")), want.join(" "));
    }
}
