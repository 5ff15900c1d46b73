//! What people read: results on standard output, progress and errors on standard error.

use std::io::Write;

/// Prints a line of a result. A reader that went away is no error of ours.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints a line of progress.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// An error with its causes, one below the other.
pub(crate) fn explain(error: &anyhow::Error) -> String {
    let mut lines = vec![format!("branchline: {error}")];
    lines.extend(
        error
            .chain()
            .skip(1)
            .map(|cause| format!("  because {cause}")),
    );
    lines.join("\n")
}
