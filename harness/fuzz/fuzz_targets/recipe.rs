//! Any text as a recipe: what is read writes itself in a form that reads back as the same.
#![no_main]
use libfuzzer_sys::fuzz_target;
use vbench_core::Condition;

fuzz_target!(|text: &str| {
    if let Ok(condition) = Condition::from_recipe("fuzz", text) {
        let again = Condition::from_recipe("fuzz", &condition.recipe());
        assert_eq!(again.as_ref(), Ok(&condition), "{}", condition.recipe());
    }
});
