//! The page apart from what is allowed to execute.

/// A page without its data blocks and its script: what may hold no script of anybody else.
pub fn without_script(html: &str) -> String {
    let (page, tail) = html.rsplit_once("</footer>").expect("a footer");
    let scripts: Vec<&str> = tail.split("<script").skip(1).collect();
    for (i, script) in scripts.iter().enumerate() {
        let (open, rest) = script.split_once('>').expect("a start tag");
        let (body, after) = rest.split_once("</script>").expect("an end tag");
        let last = i + 1 == scripts.len();
        assert_eq!(open.is_empty(), last, "data first, then the one script: {open}");
        assert!(last || !body.contains(['<', '>', '&']), "data is escaped: {body}");
        assert!(
            after.trim().is_empty() || last && after.trim_end() == "\n</body>\n</html>",
            "nothing in between: {after}"
        );
    }
    assert!(!scripts.is_empty(), "the page's own script");
    page.to_owned()
}
