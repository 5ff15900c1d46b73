//! Rules of the house that clippy cannot know.
//!
//! Each rule is a function over files as text, so that a test can plant what it must find.

mod code;
mod layout;
mod text;

use crate::repo::SourceFile;
use crate::report::Verdict;

/// All rules over all files.
pub fn check(files: &[SourceFile]) -> Verdict {
    let mut verdict = layout::lengths(files);
    verdict.findings.extend(layout::names(files));
    for file in files {
        verdict.findings.extend(text::check(file));
        if file.path.ends_with(".rs") {
            verdict.findings.extend(code::check(file));
        }
    }
    verdict
}
