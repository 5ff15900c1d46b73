//! A browser without a screen: keeps cookies, follows redirects, fills in forms. It sees pages as a
//! member's phone without JavaScript does.

use std::collections::BTreeMap;

use actix_web::cookie::Cookie;
use anyhow::Context;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, Url};

use super::html::{self, Form};

/// A person's browser.
#[derive(Clone)]
pub struct Browser {
    http: Client,
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

/// A page, or the redirect that left the sites the browser knows.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its address; of a redirect to an application: where it leads.
    pub url: Url,
    /// The HTTP status.
    pub status: u16,
    /// Its HTML.
    pub body: String,
}

const MOST_REDIRECTS: usize = 12;

impl Page {
    /// The form that is sent to an address with `what` in it, or that has a field of that name.
    ///
    /// # Errors
    /// When the page has no such form; the error shows what the page says.
    pub fn form(&self, what: &str) -> anyhow::Result<Form> {
        let fits = |form: &Form| form.action.contains(what) || form.has(what);
        let form = html::forms(&self.body).into_iter().find(fits);
        form.with_context(|| {
            format!(
                "the page {} has no form for {what}: {}",
                self.url,
                html::text(&self.body)
            )
        })
    }

    /// What the page says, without markup.
    #[must_use]
    pub fn text(&self) -> String {
        html::text(&self.body)
    }

    /// A parameter of its address.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.url
            .query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

impl Browser {
    /// A browser without cookies.
    #[must_use]
    pub fn new(http: Client) -> Self {
        Self {
            http,
            cookies: BTreeMap::new(),
        }
    }

    /// Opens an address.
    ///
    /// # Errors
    /// When the address does not answer.
    pub async fn open(&mut self, url: &str) -> anyhow::Result<Page> {
        self.go(Method::GET, Url::parse(url)?, Vec::new()).await
    }

    /// Sends a form of a page as it stands, with `changes` to its fields.
    ///
    /// # Errors
    /// When the address does not answer.
    pub async fn submit(
        &mut self,
        page: &Page,
        form: &Form,
        changes: &[(&str, &str)],
    ) -> anyhow::Result<Page> {
        let action = if form.action.is_empty() {
            page.url.clone()
        } else {
            page.url.join(&form.action)?
        };
        let mut fields: Vec<_> = form
            .fields
            .iter()
            .filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name))
            .cloned()
            .collect();
        fields.extend(
            changes
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        if form.method.eq_ignore_ascii_case("post") {
            return self.go(Method::POST, action, fields).await;
        }
        let mut action = action;
        action.query_pairs_mut().clear().extend_pairs(&fields);
        self.go(Method::GET, action, Vec::new()).await
    }

    async fn go(
        &mut self,
        method: Method,
        url: Url,
        fields: Vec<(String, String)>,
    ) -> anyhow::Result<Page> {
        let (mut method, mut url, mut fields) = (method, url, fields);
        for _ in 0..MOST_REDIRECTS {
            let mut request = self.http.request(method, url.clone());
            if let Some(cookies) = self.cookies_for(&url) {
                request = request.header(COOKIE, cookies);
            }
            if !fields.is_empty() {
                request = request.form(&fields);
            }
            let response = request
                .send()
                .await
                .with_context(|| format!("{url} does not answer"))?;
            self.keep_cookies(&url, response.headers());
            let status = response.status();
            let location = response
                .headers()
                .get(LOCATION)
                .and_then(|value| value.to_str().ok());
            let Some(location) = location.filter(|_| status.is_redirection()) else {
                return Ok(Page {
                    url,
                    status: status.as_u16(),
                    body: response.text().await?,
                });
            };
            let next = url.join(location)?;
            if is_application(&next) {
                return Ok(Page {
                    url: next,
                    status: status.as_u16(),
                    body: String::new(),
                });
            }
            (method, url, fields) = (Method::GET, next, Vec::new());
        }
        anyhow::bail!("too many redirects, the last to {url}")
    }

    fn cookies_for(&self, url: &Url) -> Option<String> {
        let known = self.cookies.get(&site(url))?;
        let pairs: Vec<_> = known
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn keep_cookies(&mut self, url: &Url, headers: &reqwest::header::HeaderMap) {
        let known = self.cookies.entry(site(url)).or_default();
        for cookie in headers.get_all(SET_COOKIE) {
            let Some(Ok(cookie)) = cookie.to_str().ok().map(Cookie::parse) else {
                continue;
            };
            let is_over = cookie
                .max_age()
                .is_some_and(|age| age.is_zero() || age.is_negative());
            if is_over || cookie.value().is_empty() {
                known.remove(cookie.name());
            } else {
                known.insert(cookie.name().to_owned(), cookie.value().to_owned());
            }
        }
    }
}

/// The ports of applications: nobody listens there, the browser hands the address over.
fn is_application(url: &Url) -> bool {
    url.port() == Some(super::fintech::CALLBACK_PORT)
}

fn site(url: &Url) -> String {
    format!(
        "{}:{}",
        url.host_str().unwrap_or_default(),
        url.port_or_known_default().unwrap_or_default()
    )
}
