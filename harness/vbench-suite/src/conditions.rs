//! `conditions` and `[[condition]]`: names, recipes, steps, and sweeps over one parameter.

use vbench_core::condition::WrittenStep;
use vbench_core::{BUILTIN_CONDITIONS, Condition, Degradation, RecipeProblem, Severity, UNPROCESSED};

use crate::parse::{check_name, unique};
use crate::problem::{Problems, unknown};
use crate::reader::{Entry, TableReader};

/// Most levels of a sweep.
const MAX_LEVELS: usize = 64;

/// Conditions of one name: several for a sweep.
struct Definition {
    name: String,
    conditions: Vec<Condition>,
}

/// The conditions of a suite file in the order of `conditions`, each sweep as its levels.
pub(crate) fn read_conditions(root: &mut TableReader, problems: &mut Problems) -> Vec<Condition> {
    let defined: Vec<Definition> =
        root.tables(problems, "condition").into_iter().map(|t| read_condition(t, problems)).collect();
    unique(root, problems, "condition", defined.iter().map(|c| c.name.as_str()));
    let names = root.strings(problems, "conditions");
    unique(root, problems, "conditions", names.iter().map(String::as_str));
    let mut conditions = Vec::new();
    for name in &names {
        if let Some(found) = defined.iter().find(|c| c.name == *name) {
            conditions.extend(found.conditions.iter().cloned());
        } else if let Some(builtin) = Condition::builtin(name) {
            conditions.push(builtin);
        } else if name == UNPROCESSED {
            conditions.push(Condition::unprocessed());
        } else {
            let builtins = BUILTIN_CONDITIONS.iter().map(|b| b.name).chain([UNPROCESSED]);
            let known: Vec<&str> = builtins.chain(defined.iter().map(|c| c.name.as_str())).collect();
            root.problem(problems, "conditions", unknown("condition", name, known));
        }
    }
    for Definition { name, conditions: levels } in &defined {
        if !names.contains(name) {
            root.problem(problems, "condition", format!("`{name}` is defined but not listed in `conditions`"));
        }
        for level in levels {
            if level.is_unprocessed() || Condition::builtin(&level.name).is_some_and(|b| b.steps != level.steps) {
                let text = format!("`{}` is a built-in condition with another recipe; rename yours", level.name);
                root.problem(problems, "condition", text);
            }
        }
    }
    unique(root, problems, "conditions", conditions.iter().map(|c| c.name.as_str()));
    conditions
}

fn read_condition(mut table: TableReader, problems: &mut Problems) -> Definition {
    let name = table.required_string(problems, "name");
    check_name(&table, problems, &name);
    let recipe = table.string(problems, "recipe");
    let steps = table.tables(problems, "steps");
    let conditions = match recipe {
        Some(_) if !steps.is_empty() => {
            table.problem(problems, "recipe", "give either `recipe` or `steps`");
            Vec::new()
        }
        Some(text) => match Condition::from_recipe(&name, &text) {
            Ok(condition) => vec![condition],
            Err(found) => {
                for problem in found {
                    table.problem(problems, "recipe", problem.to_string());
                }
                Vec::new()
            }
        },
        None => read_steps(&table, &name, &steps, problems),
    };
    table.finish(problems);
    Definition { name, conditions }
}

/// A step as in the file; at most one of its parameters has several values.
struct StepTable {
    step: WrittenStep,
    sweep: Option<(usize, Vec<String>)>,
}

fn read_steps(table: &TableReader, name: &str, steps: &[TableReader], problems: &mut Problems) -> Vec<Condition> {
    let tables: Vec<StepTable> = steps.iter().filter_map(|t| read_step_table(t, problems)).collect();
    let sweeps: Vec<usize> = (0..tables.len()).filter(|i| tables[*i].sweep.is_some()).collect();
    if sweeps.len() > 1 {
        table.problem(problems, "steps", "at most one parameter of a condition may have several values");
        return Vec::new();
    }
    let levels = sweeps.first().and_then(|i| tables[*i].sweep.as_ref()).map_or(1, |(_, values)| values.len());
    let mut conditions = Vec::new();
    for level in 0..levels {
        let mut condition = Condition { name: name.to_owned(), ..Condition::default() };
        for (index, StepTable { step, sweep }) in tables.iter().enumerate() {
            let mut step = step.clone();
            if let Some((parameter, values)) = sweep {
                let key = step.parameters[*parameter].0.clone();
                step.parameters[*parameter].1.clone_from(&values[level]);
                condition.name = format!("{name}-{}{}", values[level], suffix(&key));
                let value = number(&values[level]);
                condition.sweep = Some(Severity { family: name.to_owned(), parameter: key, value });
            }
            match Degradation::read(&step, index + 1) {
                Ok(step) => condition.steps.push(step),
                Err(found) => say(&steps[index], &found, problems),
            }
        }
        conditions.push(condition);
    }
    conditions
}

/// A level as a number: `5%` is 0.05; what is none is a problem of its step.
fn number(level: &str) -> f64 {
    let percent = level.strip_suffix('%').and_then(|p| p.trim().parse::<f64>().ok()).map(|p| p / 100.0);
    percent.or_else(|| level.parse().ok()).unwrap_or(f64::NAN)
}

fn say(table: &TableReader, found: &[RecipeProblem], problems: &mut Problems) {
    for problem in found {
        let key = if problem.at.is_empty() { "step" } else { problem.at.as_str() };
        table.problem(problems, key, problem.message.clone());
    }
}

/// `{ step = "noise", kind = "babble", snr_db = [20, 10] }`.
fn read_step_table(table: &TableReader, problems: &mut Problems) -> Option<StepTable> {
    let mut step = WrittenStep::default();
    let mut sweep = None;
    for (key, entry, _) in table.entries() {
        match entry {
            Entry::One(text) if key == "step" => step.name = text,
            Entry::One(text) => step.parameters.push((key, text)),
            // Lengths of a room or a place in it, not levels.
            Entry::Many(values) if key.ends_with("_m") && values.len() == 3 => {
                step.parameters.push((key, values.join("x")));
            }
            Entry::Many(values) if (1..=MAX_LEVELS).contains(&values.len()) => {
                if sweep.is_some() {
                    table.problem(problems, &key, "at most one parameter of a condition may have several values");
                }
                sweep = Some((step.parameters.len(), values));
                step.parameters.push((key, String::new()));
            }
            Entry::Many(values) => {
                let text = format!("expected 1 to {MAX_LEVELS} levels, found {}", values.len());
                table.problem(problems, &key, text);
            }
            Entry::Other(found) => {
                table.problem(problems, &key, format!("expected a value or an array of levels, found {found}"));
            }
        }
    }
    if step.name.is_empty() {
        let text = "a step names itself: `{ step = \"noise\", kind = \"babble\", snr_db = 5 }`";
        table.problem(problems, "step", text);
        return None;
    }
    Some(StepTable { step, sweep })
}

/// What follows a level in the name of its condition.
fn suffix(parameter: &str) -> &'static str {
    match parameter.rsplit('_').next() {
        Some("db") => "db",
        Some("ms") => "ms",
        Some("hz") => "hz",
        Some("m") => "m",
        Some("s") => "s",
        _ if parameter == "kbps" => "k",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use toml_edit::Document;

    fn read(text: &str) -> (Vec<Condition>, String) {
        let document = Document::parse(text).expect("TOML");
        let mut problems = Problems::new(Path::new("s.toml"), text);
        let mut root = TableReader::new(document.as_table(), "", None);
        let conditions = read_conditions(&mut root, &mut problems);
        (conditions, problems.list.iter().map(|p| format!("{p}\n")).collect())
    }

    #[test]
    fn recipes_steps_and_sweeps_are_conditions() {
        let (conditions, problems) = read(
            r#"
conditions = ["clean", "cafe", "call", "room"]
[[condition]]
name = "cafe"
steps = [{ step = "noise", kind = "babble", talkers = 3, snr_db = [10, 0, -5] }, { step = "opus", kbps = 12, fec = true, loss = 0.05 }]
[[condition]]
name = "call"
recipe = "band(low_hz=300, high_hz=3400) | alaw"
[[condition]]
name = "room"
steps = [{ step = "reverb", size_m = [5, 4, 3], rt60_s = 0.4, source_m = [1, 1, 1], microphone_m = [2, 2, 1.5] }]
"#,
        );
        assert_eq!(problems, "");
        let recipes: Vec<String> = conditions.iter().map(|c| format!("{}: {}", c.name, c.recipe())).collect();
        assert_eq!(
            recipes,
            [
                "clean: clean",
                "cafe-10db: noise(kind=babble, talkers=3, snr_db=10) | opus(kbps=12, loss=0.05, fec=on)",
                "cafe-0db: noise(kind=babble, talkers=3, snr_db=0) | opus(kbps=12, loss=0.05, fec=on)",
                "cafe--5db: noise(kind=babble, talkers=3, snr_db=-5) | opus(kbps=12, loss=0.05, fec=on)",
                "call: band(low_hz=300, high_hz=3400) | alaw",
                "room: reverb(size_m=5x4x3, rt60_s=0.4, source_m=1x1x1, microphone_m=2x2x1.5)",
            ]
        );
        let severity = conditions[3].severity().expect("a level");
        assert_eq!((severity.family.as_str(), severity.parameter.as_str(), severity.value), ("cafe", "snr_db", -5.0));
        assert_eq!(conditions[1].key_without_level(), conditions[3].key_without_level());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let step = |step: &str| format!("conditions = [\"x\"]\n[[condition]]\nname = \"x\"\nsteps = [\n{step}\n]\n");
        for (text, expected) in [
            (
                step("{ step = \"noise\", kind = \"grey\", snr_db = 5 }"),
                "s.toml:5: condition[0].steps[0].kind: expected speech-shaped",
            ),
            (step("{ kind = \"white\", snr_db = 5 }"), "s.toml:5: condition[0].steps[0].step: a step names itself"),
            (step("{ step = \"opus\", kbps = [8, 16], loss = [0, 0.1] }"), "loss: at most one parameter"),
            (step("{ step = \"opus\", kbps = [] }"), "kbps: expected 1 to 64 levels, found 0"),
            (
                step("{ step = \"opus\", kbps = [8, 999] }"),
                "kbps: expected a whole number of 6 to 64 kbit/s, found `999`",
            ),
            (step("{ step = \"opus\", kbps = { a = 1 } }"), "kbps: expected a value or an array of levels"),
            (
                step("{ step = \"noise\", kind = \"white\", snr_db = 5 }").replace("\"x\"]", "\"noise5db\"]"),
                "unknown condition `noise5db`; did you mean `noise-5db`?",
            ),
            (
                "conditions = [\"x\"]\n[[condition]]\nname = \"x\"\nrecipe = \"fog\"\n".into(),
                "s.toml:4: condition[0].recipe: step 1: unknown step `fog`",
            ),
            (
                "conditions = [\"clean\"]\n[[condition]]\nname = \"clean\"\nrecipe = \"gain(db=3)\"\n".into(),
                "`clean` is a built-in condition with another recipe",
            ),
            (step("{ step = \"noise\", kind = \"white\", snr_db = [5, 5] }"), "duplicate name `x-5db`"),
        ] {
            let (_, problems) = read(&text);
            assert!(problems.contains(expected), "{text}\n{problems}");
        }
    }
}
