//! `vbench models list|pull|verify|info`.

use comfy_table::{Table, TableStyle};
use vbench_core::ExitCode;
use vbench_fetch::{Cache, FileState, ModelEntry, ModelStatus, Registry, model_status, verify_model};

use crate::cli::{CacheArguments, ModelsCommand};
use crate::failure::{Failure, say};
use crate::open::{Shown, cache_folder, pull};

/// `vbench models …`.
pub fn models(command: &ModelsCommand) -> Result<ExitCode, Failure> {
    match command {
        ModelsCommand::List(cache) => list(cache),
        ModelsCommand::Pull { names, cache } => {
            let folder = cache_folder(cache)?;
            for name in names {
                say(format_args!("{name}: {}", pull(name, &folder, false)?.display()));
            }
            Ok(ExitCode::Passed)
        }
        ModelsCommand::Verify { names, cache } => verify(names, cache),
        ModelsCommand::Info { name, cache } => info(name, cache),
    }
}

fn open(arguments: &CacheArguments) -> Result<(Registry, Cache), Failure> {
    Ok((Registry::embedded()?, Cache::open(Some(cache_folder(arguments)?))?))
}

fn state_word(status: &ModelStatus) -> &'static str {
    if status.is_verified() {
        "verified"
    } else if status.files.iter().any(|(_, s)| matches!(s, FileState::Wrong(_))) {
        "damaged"
    } else if status.files.iter().all(|(_, s)| *s == FileState::Missing) {
        "not here"
    } else {
        "not verified"
    }
}

fn list(arguments: &CacheArguments) -> Result<ExitCode, Failure> {
    let (registry, cache) = open(arguments)?;
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_header(["model", "size", "licence", "state", "description"]);
    for model in &registry.models {
        let state = state_word(&model_status(model, &cache)?);
        table.add_row([
            model.name.clone(),
            megabytes(model),
            model.licence.clone(),
            state.into(),
            model.description.clone(),
        ]);
    }
    say(table);
    Ok(ExitCode::Passed)
}

fn megabytes(model: &ModelEntry) -> String {
    format!("{:.1} MB", model.files.iter().map(|f| f.size).sum::<u64>() as f64 / 1e6)
}

fn verify(names: &[String], arguments: &CacheArguments) -> Result<ExitCode, Failure> {
    let (registry, cache) = open(arguments)?;
    let chosen: Vec<&ModelEntry> = if names.is_empty() {
        registry.models.iter().filter(|m| cache.model_dir(&m.name).exists()).collect()
    } else {
        names.iter().map(|n| registry.model(n)).collect::<Result<_, _>>()?
    };
    if chosen.is_empty() {
        say("no model is in the cache; fetch one with: vbench models pull NAME");
    }
    let mut code = ExitCode::Passed;
    for model in chosen {
        let mut shown = Shown::new(&model.name, false);
        let status = verify_model(model, &cache, &mut |p| shown.show(p))?;
        shown.finish();
        for (file, state) in &status.files {
            let text = match state {
                FileState::Verified => "ok".to_string(),
                FileState::Wrong(reason) => format!("WRONG: {reason}"),
                FileState::Missing => "MISSING".to_string(),
                FileState::Unverified => "not verified".to_string(),
            };
            say(format_args!("{}/{file}: {text}", model.name));
        }
        if !status.is_verified() {
            code = ExitCode::Unavailable;
        }
    }
    Ok(code)
}

fn info(name: &str, arguments: &CacheArguments) -> Result<ExitCode, Failure> {
    let (registry, cache) = open(arguments)?;
    let model = registry.model(name)?;
    let status = model_status(model, &cache)?;
    say(format_args!("{}: {}", model.name, model.description));
    say(format_args!("licence:     {} ({})", model.licence, model.attribution));
    say(format_args!("format:      {}", model.format));
    say(format_args!("languages:   {}", model.languages.join(", ")));
    say(format_args!("folder:      {} ({})", status.folder.display(), state_word(&status)));
    for file in &model.files {
        say(format_args!("file:        {} {} bytes, sha256 {}", file.name, file.size, file.sha256));
    }
    for source in &model.sources {
        say(format_args!("source:      {}", vbench_fetch::model::describe(source, &crate::open::clients())));
    }
    Ok(ExitCode::Passed)
}
