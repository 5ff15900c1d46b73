//! The pages as templates.

use askama::Template;

use super::page::Frame;

/// A sentence, and where to go from there.
#[derive(Template)]
#[template(path = "message.html")]
pub(super) struct MessagePage {
    pub(super) frame: Frame,
    pub(super) heading: String,
    pub(super) text: String,
    pub(super) link: Option<Link>,
    pub(super) reference: Option<String>,
}

/// A link and its words.
pub(super) struct Link {
    pub(super) address: String,
    pub(super) words: String,
}

/// Where a form goes, and its token.
pub(super) struct FormTo {
    pub(super) action: String,
    pub(super) csrf: String,
}

/// Which accounts to share.
#[derive(Template)]
#[template(path = "consent.html")]
pub(super) struct ConsentPage {
    pub(super) frame: Frame,
    pub(super) problem: Option<String>,
    pub(super) tpp: String,
    pub(super) client_id: String,
    pub(super) data: Vec<&'static str>,
    pub(super) until: String,
    pub(super) often: String,
    pub(super) accounts: Vec<OfferedAccount>,
    pub(super) action: String,
    pub(super) csrf: String,
}

/// An account that may be shared.
pub(super) struct OfferedAccount {
    pub(super) id: String,
    pub(super) iban: String,
    pub(super) currency: String,
    pub(super) is_named: bool,
}

/// A payment to approve.
#[derive(Template)]
#[template(path = "payment.html")]
pub(super) struct PaymentPage {
    pub(super) frame: Frame,
    pub(super) problem: Option<String>,
    pub(super) tpp: String,
    pub(super) payment: PaymentFacts,
    pub(super) action: String,
    pub(super) csrf: String,
}

/// What of a payment a member reads before she approves.
pub(super) struct PaymentFacts {
    pub(super) amount: String,
    pub(super) payee: String,
    pub(super) creditor_iban: String,
    pub(super) debtor_iban: String,
    pub(super) remittance: Option<String>,
}

/// The code.
#[derive(Template)]
#[template(path = "code.html")]
pub(super) struct CodePage {
    pub(super) frame: Frame,
    pub(super) problem: Option<String>,
    pub(super) payment: Option<PaymentFacts>,
    pub(super) shown: String,
    pub(super) until: String,
    pub(super) confirm: String,
    pub(super) action: String,
    pub(super) csrf: String,
}

/// What a member has allowed.
#[derive(Template)]
#[template(path = "me.html")]
pub(super) struct MePage {
    pub(super) frame: Frame,
    pub(super) done: Option<&'static str>,
    pub(super) permissions: Vec<Permission>,
    pub(super) sign_out: FormTo,
}

/// One permission.
pub(super) struct Permission {
    pub(super) tpp: String,
    pub(super) state: &'static str,
    pub(super) since: String,
    pub(super) until: String,
    pub(super) accounts: Vec<SharedAccount>,
    pub(super) withdraw: Option<FormTo>,
}

/// An account of a permission.
pub(super) struct SharedAccount {
    pub(super) iban: String,
    pub(super) rights: &'static str,
}

/// Members' messages, in development.
#[derive(Template)]
#[template(path = "phone.html")]
pub(super) struct PhonePage {
    pub(super) frame: Frame,
    pub(super) messages: Vec<PhoneMessage>,
}

/// One message.
pub(super) struct PhoneMessage {
    pub(super) authorisation: String,
    pub(super) to: String,
    pub(super) at: String,
    pub(super) text: String,
    pub(super) code: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(is_dev: bool) -> Frame {
        Frame {
            institution: "Lion & Co".to_owned(),
            signed_in: Some("Amina <Otieno>".to_owned()),
            is_dev,
        }
    }

    fn consent_page() -> ConsentPage {
        ConsentPage {
            frame: frame(true),
            problem: Some("Choose at least one account.".to_owned()),
            tpp: "<script>alert(1)</script>".to_owned(),
            client_id: "tpp-1".to_owned(),
            data: vec!["balances"],
            until: "31 December 2026".to_owned(),
            often: "Once".to_owned(),
            accounts: vec![OfferedAccount {
                id: "a\"b".to_owned(),
                iban: "DE89".to_owned(),
                currency: "EUR".to_owned(),
                is_named: false,
            }],
            action: "/t/lion/approve/1/decision".to_owned(),
            csrf: "token".to_owned(),
        }
    }

    #[test]
    fn what_others_wrote_is_shown_as_text() {
        let html = consent_page().render().unwrap();
        assert!(!html.contains("<script") && !html.contains("<Otieno>"));
        assert!(!html.contains("a\"b"));
    }

    #[test]
    fn a_page_is_usable_without_script_and_by_a_screen_reader() {
        let html = consent_page().render().unwrap();
        for part in [
            "<html lang=\"en\" dir=\"ltr\">",
            "name=\"viewport\"",
            "href=\"#main\"",
            "<main id=\"main\">",
            "for=\"account-1\"",
            "<legend>",
            "role=\"alert\"",
        ] {
            assert!(html.contains(part), "{part} is missing");
        }
        assert_eq!(html.matches("<h1>").count(), 1);
        assert!(!html.contains("onclick") && !html.contains("style=\""));
    }

    #[test]
    fn no_account_is_ticked_that_the_app_did_not_name() {
        let html = consent_page().render().unwrap();
        assert!(!html.contains(" checked"));
    }

    #[test]
    fn development_says_so_on_every_page() {
        let says = "No real money";
        let page = |is_dev| MessagePage {
            frame: frame(is_dev),
            heading: "x".to_owned(),
            text: "y".to_owned(),
            link: None,
            reference: None,
        };
        assert!(page(true).render().unwrap().contains(says));
        assert!(!page(false).render().unwrap().contains(says));
    }
}
