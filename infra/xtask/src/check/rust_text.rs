//! Rust source as text: code without comments and strings, and the lines that are tests.

/// The text with comments, strings and characters blanked; lines stay where they are.
pub fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(
                chars[at..end]
                    .iter()
                    .map(|c| if *c == '\n' { '\n' } else { ' ' }),
            );
            at = end;
        }
    }
    out
}

/// Where the comment or literal that starts at `at` ends; `at` itself when none starts there.
fn literal_end(chars: &[char], at: usize) -> usize {
    let next = chars.get(at + 1).copied();
    match chars[at] {
        '/' if next == Some('/') => find(chars, at, |c| c == '\n'),
        '/' if next == Some('*') => block_comment_end(chars, at),
        '"' => string_end(chars, at),
        'r' => raw_string_end(chars, at),
        '\'' => char_end(chars, at),
        _ => at,
    }
}

fn find(chars: &[char], from: usize, wanted: impl Fn(char) -> bool) -> usize {
    chars[from..]
        .iter()
        .position(|c| wanted(*c))
        .map_or(chars.len(), |offset| from + offset)
}

fn block_comment_end(chars: &[char], at: usize) -> usize {
    let (mut depth, mut at) = (0_usize, at);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                at += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    chars.len()
}

fn string_end(chars: &[char], at: usize) -> usize {
    let mut at = at + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

fn raw_string_end(chars: &[char], at: usize) -> usize {
    let before = if at > 0 && chars[at - 1] == 'b' {
        at.checked_sub(2)
    } else {
        at.checked_sub(1)
    };
    if before.is_some_and(|before| is_word(chars[before])) {
        return at;
    }
    let quote = find(chars, at + 1, |c| c != '#');
    if chars.get(quote) != Some(&'"') {
        return at;
    }
    let hashes = quote - at - 1;
    let mut end = quote + 1;
    while end < chars.len() {
        let closes = chars[end] == '"'
            && chars.len() > end + hashes
            && chars[end + 1..=end + hashes].iter().all(|c| *c == '#');
        if closes {
            return end + hashes + 1;
        }
        end += 1;
    }
    chars.len()
}

/// A character literal ends; a lifetime is none.
fn char_end(chars: &[char], at: usize) -> usize {
    if chars.get(at + 1) == Some(&'\\') {
        return (find(chars, at + 3, |c| c == '\'') + 1).min(chars.len());
    }
    if chars.get(at + 2) == Some(&'\'') {
        at + 3
    } else {
        at
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `word` stands in the line as a word of its own.
pub fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// For each line of [`code_only`]: does it belong to a `#[cfg(test)]` module?
pub fn test_lines(code: &str) -> Vec<bool> {
    let lines: Vec<&str> = code.lines().collect();
    let mut marks = vec![false; lines.len()];
    let mut at = 0;
    while at < lines.len() {
        let end = if lines[at].trim().starts_with("#[cfg(test)]") {
            item_end(&lines, at)
        } else {
            at
        };
        marks[at..end].fill(true);
        at = end.max(at + 1);
    }
    marks
}

/// One past the line on which the item that starts at `start` ends.
fn item_end(lines: &[&str], start: usize) -> usize {
    let mut depth = 0_i32;
    let mut opened = false;
    for (offset, line) in lines[start..].iter().enumerate() {
        for c in line.chars() {
            match c {
                '{' => (depth, opened) = (depth + 1, true),
                '}' => depth -= 1,
                _ => {}
            }
        }
        let ends_plainly = !opened && line.trim_end().ends_with(';');
        if ends_plainly || (opened && depth <= 0) {
            return start + offset + 1;
        }
    }
    lines.len()
}

/// Whether the whole file is test code.
pub fn is_test_file(path: &str) -> bool {
    let is_test_module = path.ends_with("/tests.rs") || path.ends_with("_tests.rs");
    is_test_module || path.contains("/tests/") || path.starts_with("e2e/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_strings_and_characters_are_no_code() {
        let text = "let a = \"f64 \\\" f64\"; // f64\n/* f64 /* f64 */ f64 */ let b = r#\"f64\" f64\"#;\nlet c = 'f'; let d: &'static str = b\"f64\"; let f64x = br\"f64\";";
        let code = code_only(text);
        assert!(!has_word(&code, "f64"), "{code}");
        assert!(has_word(&code, "static") && has_word(&code, "f64x"));
        assert_eq!(code.lines().count(), text.lines().count());
    }

    #[test]
    fn escaped_quotes_and_raw_names_do_not_swallow_code() {
        let code = code_only("let q = '\\''; let w = '\"'; let r#type = f64::MAX;");
        assert!(has_word(&code, "f64"), "{code}");
    }

    #[test]
    fn only_the_test_module_counts_as_test() {
        let code = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
        assert_eq!(test_lines(code), [false, true, true, true, true, false]);
    }

    #[test]
    fn a_word_inside_a_longer_one_is_not_found() {
        assert!(!has_word("as_secs_f64()", "f64"));
        assert!(has_word("x: f64,", "f64"));
    }
}
