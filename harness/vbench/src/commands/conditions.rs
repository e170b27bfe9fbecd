//! `vbench conditions`: what can be done to audio, by name or by recipe.

use comfy_table::{Table, TableStyle};
use serde_json::json;
use vbench_core::condition::STEPS;
use vbench_core::{BUILTIN_CONDITIONS, BuiltinCondition, ExitCode};

use crate::cli::ConditionsArguments;
use crate::failure::{Failure, say};

/// Lists the built-in conditions and the steps of a recipe.
pub fn conditions(arguments: &ConditionsArguments) -> Result<ExitCode, Failure> {
    let named = |b: &&BuiltinCondition| arguments.name.as_deref().is_none_or(|name| b.name == name);
    let shown: Vec<&BuiltinCondition> = BUILTIN_CONDITIONS.iter().filter(named).collect();
    if shown.is_empty() {
        let name = arguments.name.as_deref().unwrap_or_default();
        return Err(Failure::new(ExitCode::Usage, unknown(name)));
    }
    if arguments.json {
        let results: Vec<_> =
            shown.iter().map(|b| json!({"name": b.name, "description": b.description, "recipe": b.recipe})).collect();
        let steps: Vec<_> = STEPS
            .iter()
            .map(|(name, parameters, sentence)| {
                let parameters: Vec<&str> = parameters.split(", ").filter(|p| !p.is_empty()).collect();
                json!({"name": name, "parameters": parameters, "description": sentence})
            })
            .collect();
        say(format!("{:#}", json!({"schema": "vbench/conditions/1", "results": results, "steps": steps})));
        return Ok(ExitCode::Passed);
    }
    if let [one] = shown.as_slice() {
        say(format_args!("{}\n{}\n{}", one.name, one.description, one.recipe));
        return Ok(ExitCode::Passed);
    }
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_header(["condition", "what it does", "recipe"]);
    for b in shown {
        table.add_row([b.name, b.description, b.recipe]);
    }
    table.set_width(crate::render::terminal_width().min(u16::MAX.into()) as u16);
    say(table);
    let mut steps = Table::new();
    steps.load_style(TableStyle::new()).set_header(["step of a recipe", "parameters", "what it does"]);
    for (name, parameters, sentence) in STEPS {
        steps.add_row([*name, *parameters, *sentence]);
    }
    steps.set_width(crate::render::terminal_width().min(u16::MAX.into()) as u16);
    say(format_args!("\n{steps}"));
    Ok(ExitCode::Passed)
}

/// What to say of a name that is no built-in condition.
pub fn unknown(name: &str) -> String {
    vbench_suite::problem::unknown("condition", name, BUILTIN_CONDITIONS.iter().map(|b| b.name))
}
