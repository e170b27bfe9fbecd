//! The invariants hold, as an ordinary test.

#[test]
fn tidy() {
    let problems = xtask::tidy::check(&xtask::root());
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}
