//! As much HTML as it takes to fill in a form: tags, attributes and the few entities our pages and
//! Keycloak's login use.

/// A form of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// Where it is sent; empty means the page's own address.
    pub action: String,
    /// `post` or `get`.
    pub method: String,
    /// Its fields with their values. Checkboxes and radio buttons only if checked; buttons not.
    pub fields: Vec<(String, String)>,
    /// Boxes that are not checked, and buttons: what a person may choose to send.
    pub choices: Vec<(String, String)>,
}

impl Form {
    /// Whether it has a field of that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.choices
            .iter()
            .chain(&self.fields)
            .any(|(field, _)| field == name)
    }

    /// The values that a person may choose for the field of that name.
    #[must_use]
    pub fn choices_of(&self, name: &str) -> Vec<&str> {
        let all = self.choices.iter().chain(&self.fields);
        all.filter(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }
}

/// All forms of a page.
#[must_use]
pub(super) fn forms(html: &str) -> Vec<Form> {
    let mut forms = Vec::new();
    let mut open: Option<Form> = None;
    for tag in tags(html) {
        match tag.name.as_str() {
            "form" => {
                open = Some(Form {
                    action: tag.attribute("action").unwrap_or_default(),
                    method: tag.attribute("method").unwrap_or_else(|| "get".to_owned()),
                    ..Form::default()
                });
            }
            "/form" => forms.extend(open.take()),
            "input" | "button" => {
                if let Some(form) = &mut open {
                    add(form, &tag);
                }
            }
            _ => {}
        }
    }
    forms
}

fn add(form: &mut Form, tag: &Tag) {
    let Some(name) = tag.attribute("name") else {
        return;
    };
    let kind = tag.attribute("type").unwrap_or_default();
    let value = tag.attribute("value").unwrap_or_default();
    let is_box = matches!(kind.as_str(), "checkbox" | "radio");
    let is_chosen = is_box && tag.attribute("checked").is_some();
    if tag.name == "button" || kind == "submit" || (is_box && !is_chosen) {
        form.choices.push((name, value));
    } else {
        form.fields.push((name, value));
    }
}

/// What a page says, without markup, on one line.
#[must_use]
pub(super) fn text(html: &str) -> String {
    let body = html.split_once("<body").map_or(html, |(_, body)| body);
    let mut said = String::new();
    for piece in body.split('<').skip(1) {
        let (_, words) = piece.split_once('>').unwrap_or(("", ""));
        said.push(' ');
        said.push_str(words);
    }
    decode(&said)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn attribute(&self, name: &str) -> Option<String> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    }
}

fn tags(html: &str) -> impl Iterator<Item = Tag> {
    html.split('<').skip(1).filter_map(|piece| {
        let (inside, _) = piece.split_once('>')?;
        let inside = inside.trim_end_matches('/');
        let (name, rest) = inside
            .split_once(char::is_whitespace)
            .unwrap_or((inside, ""));
        Some(Tag {
            name: name.to_lowercase(),
            attributes: attributes(rest),
        })
    })
}

fn attributes(text: &str) -> Vec<(String, String)> {
    let mut rest = text.trim_start();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| c == '=' || c.is_whitespace())
            .unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        let behind = behind.trim_start();
        let (value, behind) = match behind.strip_prefix('=') {
            Some(quoted) => value(quoted.trim_start()),
            None => (String::new(), behind),
        };
        found.push((name.to_lowercase(), value));
        rest = behind.trim_start();
    }
    found
}

fn value(text: &str) -> (String, &str) {
    for quote in ['"', '\''] {
        if let Some((value, rest)) = text
            .strip_prefix(quote)
            .and_then(|text| text.split_once(quote))
        {
            return (decode(value), rest);
        }
    }
    let (value, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (decode(value), rest)
}

fn decode(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (entity, character)| {
        text.replace(entity, character)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_with_its_fields_and_choices() {
        let html = r#"<body><form action="/go?a=1&amp;b=2" method="post"><input type=hidden name=csrf value="x&quot;y">
            <input type="checkbox" name="account" value="1" checked><input type="checkbox" name="account" value="2">
            <button name="decision" value="approve">Approve</button></form>"#;
        let forms = forms(html);
        assert_eq!(forms[0].action, "/go?a=1&b=2");
        assert_eq!(
            forms[0].fields,
            [
                ("csrf".into(), "x\"y".into()),
                ("account".into(), "1".into())
            ]
        );
        assert_eq!(forms[0].choices_of("account"), ["2", "1"]);
        assert_eq!(forms[0].choices_of("decision"), ["approve"]);
    }

    #[test]
    fn text_is_what_a_person_reads() {
        assert_eq!(
            text("<head>x</head><body class=a><h1>Pay</h1>\n<p>12.50 &amp; more</p>"),
            "Pay 12.50 & more"
        );
    }
}
