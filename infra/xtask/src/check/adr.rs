//! Decisions: every record is linked from the index, and every link leads to a record.

use std::collections::BTreeSet;

use crate::repo::SourceFile;
use crate::report::Finding;

const FOLDER: &str = "docs/adr/";
const INDEX: &str = "docs/adr/README.md";

/// All rules over the folder of decisions.
pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    let records: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| file.path.strip_prefix(FOLDER))
        .filter(|name| *name != "README.md")
        .collect();
    let index = files.iter().find(|file| file.path == INDEX);
    let text = index.map_or("", |file| file.text.as_str());
    let linked: BTreeSet<&str> = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .map(|link| {
            link.split('#')
                .next()
                .unwrap_or(link)
                .trim_start_matches("./")
        })
        .filter(|link| !link.contains('/') && link.ends_with(".md"))
        .collect();
    let finding = |file: String, what: String, remedy: &str| Finding {
        file,
        line: 0,
        what,
        why: "a decision that nobody finds is taken a second time, differently",
        remedy: remedy.to_owned(),
    };
    let unlinked = records.difference(&linked).map(|name| {
        let what = format!("not linked from {INDEX}");
        finding(
            format!("{FOLDER}{name}"),
            what,
            "add a line with its link to the index",
        )
    });
    let dangling = linked.difference(&records).map(|name| {
        let what = format!("links to `{name}`, which does not exist");
        finding(
            INDEX.to_owned(),
            what,
            "correct the link, or write the record",
        )
    });
    let misnamed = records.iter().filter(|name| !is_record(name)).map(|name| {
        let what = "no name of a record".to_owned();
        finding(
            format!("{FOLDER}{name}"),
            what,
            "call it NNNN-title.md, in small letters",
        )
    });
    unlinked.chain(dangling).chain(misnamed).collect()
}

fn is_record(name: &str) -> bool {
    let title = name
        .strip_suffix(".md")
        .and_then(|name| name.split_once('-'));
    title.is_some_and(|(number, title)| {
        number.len() == 4
            && number.bytes().all(|b| b.is_ascii_digit())
            && !title.is_empty()
            && title
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::file;

    #[test]
    fn an_unlinked_record_and_a_dangling_link_are_found() {
        let files = [
            file(
                INDEX,
                "- [One](0001-one.md)\n- [Three](./0003-three.md#why)\n",
            ),
            file("docs/adr/0001-one.md", ""),
            file("docs/adr/0002-two.md", ""),
        ];
        let found = check(&files);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].file, "docs/adr/0002-two.md");
        assert!(found[1].what.contains("0003-three.md"));
    }

    #[test]
    fn a_record_without_number_is_found() {
        let files = [file(INDEX, "[a](One.md)"), file("docs/adr/One.md", "")];
        assert_eq!(check(&files).len(), 1);
    }
}
