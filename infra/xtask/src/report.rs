//! What a gate found: what is wrong, where, why it matters and what to do.

use std::fmt;

/// One thing that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, seen from the root of the repository.
    pub file: String,
    /// The line, counted from 1; 0 when the whole file is meant.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// Why the rule exists.
    pub why: &'static str,
    /// What to do now.
    pub remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            writeln!(f, "{}: {}", self.file, self.what)?;
        } else {
            writeln!(f, "{}:{}: {}", self.file, self.line, self.what)?;
        }
        writeln!(f, "    why: {}", self.why)?;
        write!(f, "    do:  {}", self.remedy)
    }
}

/// What a gate says: findings fail it, notes are only shown.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What must be mended.
    pub findings: Vec<Finding>,
    /// What is worth knowing.
    pub notes: Vec<String>,
}

impl From<Vec<Finding>> for Verdict {
    fn from(findings: Vec<Finding>) -> Self {
        Self {
            findings,
            notes: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_what_where_why_and_what_to_do() {
        let finding = Finding {
            file: "a/b.rs".to_owned(),
            line: 7,
            what: "a float".to_owned(),
            why: "it rounds",
            remedy: "use Money".to_owned(),
        };
        assert_eq!(
            finding.to_string(),
            "a/b.rs:7: a float\n    why: it rounds\n    do:  use Money"
        );
    }
}
