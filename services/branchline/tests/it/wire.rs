//! Requests to the last byte, and answers with their headers. Answers of the XS2A interface are
//! held against the official file as they come in.

use anyhow::Context;
use branchline::demo::Answer;
use branchline_kernel::{IdSource, RandomIds};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method};
use serde_json::Value;

use crate::official;

/// Where a third party's member comes back to.
pub(crate) const CALLBACK: &str = "http://127.0.0.1:9/callback";

/// A request of an operation of an API document.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) text: String,
    headers: HeaderMap,
}

impl Ask {
    pub(crate) fn new(operation: &'static str, method: Method, url: &str) -> Self {
        Self {
            operation,
            method,
            url: url.to_owned(),
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    /// A call of the XS2A interface, complete but for its token.
    pub(crate) fn xs2a(operation: &'static str, method: Method, url: &str) -> Self {
        Self::new(operation, method, url)
            .header("X-Request-ID", RandomIds.next().to_string())
            .header("PSU-IP-Address", "192.0.2.17")
            .header("TPP-Redirect-URI", CALLBACK)
    }

    /// Sets a header, in the place of one of that name.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name: HeaderName = name.parse().unwrap();
        self.headers
            .insert(name, HeaderValue::from_bytes(value.as_ref()).unwrap());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string())
    }

    /// The JSON that is in it.
    pub(crate) fn sent(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn form(self, fields: &[(&str, &str)]) -> Self {
        let mut url = reqwest::Url::parse("http://form").unwrap();
        url.query_pairs_mut().extend_pairs(fields);
        let text = url.query().unwrap_or_default().to_owned();
        self.bytes("application/x-www-form-urlencoded", text)
    }

    pub(crate) fn bytes(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", kind)
    }

    /// Sends it under a name of its own; what a request id has to look like is left as it is.
    pub(crate) async fn send(&self, http: &Client) -> anyhow::Result<Reply> {
        let request = http
            .request(self.method.clone(), &self.url)
            .headers(self.headers.clone())
            .body(self.body.clone());
        let response = request.send().await.with_context(|| self.operation)?;
        let reply = Reply {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await?,
        };
        official::check(self.operation, &reply)?;
        Ok(reply)
    }

    /// The same at another address.
    pub(crate) fn elsewhere(&self, part: &str, other: &str) -> Self {
        assert!(self.url.contains(part), "{} has no {part}", self.url);
        let mut ask = self.again();
        ask.url = self.url.replace(part, other);
        ask
    }

    /// The same with a fresh `X-Request-ID`.
    pub(crate) fn again(&self) -> Self {
        self.clone()
            .header("X-Request-ID", RandomIds.next().to_string())
    }
}

impl Reply {
    /// An answer that nobody gave.
    pub(crate) fn made(status: u16, body: &Value) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-request-id",
            HeaderValue::from_static("99391c7e-ad88-49ec-a2ad-99ddcb1f7721"),
        );
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        Self {
            status,
            text,
            headers,
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    pub(crate) fn answer(&self) -> Answer {
        Answer {
            status: self.status,
            body: self.body(),
        }
    }
}
