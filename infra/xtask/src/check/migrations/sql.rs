//! SQL as words: enough of a lexer to lint migrations.

/// One word or sign, in small letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The word; a quoted name without its quotes.
    pub text: String,
    /// Its line, counted from 1.
    pub line: usize,
    /// Whether it stands between dollar quotes, in a function's body.
    pub in_body: bool,
}

/// The statements of a file, each as its tokens.
pub fn statements(text: &str) -> Vec<Vec<Token>> {
    let mut statements = vec![Vec::new()];
    for token in tokens(text) {
        if token.text == ";" && !token.in_body {
            statements.push(Vec::new());
        } else if let Some(statement) = statements.last_mut() {
            statement.push(token);
        }
    }
    statements.retain(|statement| !statement.is_empty());
    statements
}

/// Where the words stand one after the other.
pub fn positions(tokens: &[Token], words: &[&str]) -> Vec<usize> {
    let matches = |window: &[Token]| {
        window
            .iter()
            .zip(words)
            .all(|(token, word)| token.text == *word)
    };
    tokens
        .windows(words.len())
        .enumerate()
        .filter(|(_, window)| matches(window))
        .map(|(at, _)| at)
        .collect()
}

/// Whether the words stand there one after the other.
pub fn has(tokens: &[Token], words: &[&str]) -> bool {
    !positions(tokens, words).is_empty()
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    /// The dollar quote that is open, such as `$$` or `$body$`.
    body: Option<String>,
    tokens: Vec<Token>,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        chars: text.chars().collect(),
        at: 0,
        line: 1,
        body: None,
        tokens: Vec::new(),
    };
    while lexer.at < lexer.chars.len() {
        lexer.step();
    }
    lexer.tokens
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn bump(&mut self) {
        self.line += usize::from(self.peek(0) == Some('\n'));
        self.at += 1;
    }

    fn step(&mut self) {
        match (self.peek(0).unwrap_or(' '), self.peek(1)) {
            ('-', Some('-')) => self.skip_until("\n"),
            ('/', Some('*')) => self.skip_until("*/"),
            ('\'', _) => self.string(),
            ('"', _) => self.quoted_name(),
            ('$', _) if self.dollar_quote() => {}
            (c, _) if c.is_whitespace() => self.bump(),
            (c, _) if is_word(c) => self.word(),
            (c, _) => {
                self.push(c.to_string(), self.line);
                self.bump();
            }
        }
    }

    fn push(&mut self, text: String, line: usize) {
        let in_body = self.body.is_some();
        self.tokens.push(Token {
            text,
            line,
            in_body,
        });
    }

    fn skip_until(&mut self, end: &str) {
        let end: Vec<char> = end.chars().collect();
        while self.at < self.chars.len() && !self.chars[self.at..].starts_with(&end) {
            self.bump();
        }
        for _ in 0..end.len() {
            self.bump();
        }
    }

    /// A string: `''` inside is a quote, and so is `\'` where the string is an `E''`.
    fn string(&mut self) {
        let escapes = self.at > 0 && matches!(self.chars[self.at - 1], 'e' | 'E');
        let line = self.line;
        self.bump();
        while let Some(c) = self.peek(0) {
            self.bump();
            match c {
                '\\' if escapes => self.bump(),
                '\'' if self.peek(0) == Some('\'') => self.bump(),
                '\'' => break,
                _ => {}
            }
        }
        self.push("''".to_owned(), line);
    }

    fn quoted_name(&mut self) {
        let line = self.line;
        let mut name = String::new();
        self.bump();
        while let Some(c) = self.peek(0) {
            self.bump();
            if c == '"' {
                break;
            }
            name.push(c);
        }
        self.push(name, line);
    }

    fn word(&mut self) {
        let line = self.line;
        let mut word = String::new();
        while let Some(c) = self.peek(0).filter(|c| is_word(*c)) {
            word.extend(c.to_lowercase());
            self.bump();
        }
        self.push(word, line);
    }

    /// Opens or closes a dollar quote; what is between them is read as SQL too.
    fn dollar_quote(&mut self) -> bool {
        let rest = &self.chars[self.at + 1..];
        let Some(end) = rest.iter().position(|c| *c == '$') else {
            return false;
        };
        if !rest[..end].iter().all(|c| c.is_alphanumeric() || *c == '_')
            || rest.first().is_some_and(char::is_ascii_digit)
        {
            return false;
        }
        let quote: String = self.chars[self.at..=self.at + end + 1].iter().collect();
        match &self.body {
            Some(open) if *open == quote => self.body = None,
            Some(_) => {}
            None => self.body = Some(quote),
        }
        self.at += end + 2;
        true
    }
}

/// Braces belong to words, for the placeholders `{{app}}` and `{{schema}}`.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '{' | '}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_strings_hide_what_is_in_them() {
        let text = "SELECT 'xid8''s; xid8', E'\\' xid8' -- xid8\n/* xid8\n */ FROM \"Big\"";
        let words = words(text);
        assert_eq!(words, ["select", "''", ",", "e", "''", "from", "Big"]);
    }

    #[test]
    fn a_semicolon_in_a_body_ends_no_statement() {
        let text = "CREATE FUNCTION f() AS $body$ BEGIN; x $1; END; $body$;\nSELECT 1;";
        let statements = statements(text);
        assert_eq!(statements.len(), 2);
        assert_eq!(statements[1][0].line, 2);
        assert!(has(&statements[0], &["end", ";"]));
    }
}
