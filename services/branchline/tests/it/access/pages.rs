//! Members' pages: a session is good at its own institution and for its own member only, and a form
//! only for the session and the thing it was shown for.

use branchline::demo::{Browser, ELEPHANT, Form, LION, Page, sign_in_at};
use reqwest::Method;

use super::state;
use crate::cast::Cast;
use crate::scene::Scene;

pub(super) async fn probe_all(scene: &Scene, cast: &Cast) -> anyhow::Result<()> {
    let (mut amina, hers) = signed_in(scene, LION.slug, LION.member.0).await?;
    let (joseph, _) = signed_in(scene, ELEPHANT.slug, ELEPHANT.member.0).await?;
    let (mut tendai, theirs) = signed_in(scene, LION.slug, LION.supervisor.0).await?;
    anyhow::ensure!(
        theirs.form(&cast.consent.id).is_err(),
        "another member sees the consent"
    );
    let form = hers.form(&cast.consent.id)?;
    let others = hers.form(&cast.others_consent.id)?;
    let elsewhere = Form {
        action: form.action.replace("/t/lion/", "/t/elephant/"),
        ..form.clone()
    };
    let unknown = form
        .action
        .replace(&cast.consent.id, "00000000-0000-7000-8000-000000000000");
    let unknown = Form {
        action: unknown,
        ..form.clone()
    };
    let without = Form {
        fields: Vec::new(),
        ..form.clone()
    };
    let foreign = Form {
        fields: others.fields.clone(),
        ..form.clone()
    };
    let sign_out = Form {
        fields: hers.form("sign-out")?.fields,
        ..form.clone()
    };
    let nobody = Browser::new(scene.journey.http.clone());

    let before = state::of(&scene.stage).await?;
    for (who, mut browser, form) in [
        ("nobody", nobody.clone(), &form),
        ("a member of another tenant", joseph.clone(), &form),
        (
            "a member of another tenant, at hers",
            joseph.clone(),
            &elsewhere,
        ),
        ("another member", tendai.clone(), &form),
        ("a form without its token", amina.clone(), &without),
        ("the token of another consent", amina.clone(), &foreign),
        ("the token of another form", amina.clone(), &sign_out),
        ("a consent that is not there", amina.clone(), &unknown),
    ] {
        let page = browser.submit(&hers, form, &[]).await?;
        anyhow::ensure!(
            page.status == 403,
            "{who} was answered {}: {}",
            page.status,
            page.text()
        );
        anyhow::ensure!(
            before == state::of(&scene.stage).await?,
            "{who} changed something"
        );
    }
    let done = amina.submit(&hers, &form, &[]).await?;
    anyhow::ensure!(done.text().contains("withdrawn"), "{}", done.text());
    approvals(scene, &mut tendai).await
}

/// Another session opens neither the page that asks nor the one for the code, and sends no form of
/// theirs.
async fn approvals(scene: &Scene, tendai: &mut Browser) -> anyhow::Result<()> {
    let journey = &scene.journey;
    let own = scene.fintech.own_token(LION.slug, "AIS").await?;
    let consent = journey
        .create_consent(&scene.fintech, &scene.lion, &own)
        .await?;
    let begun = scene
        .fintech
        .ask_for(LION.slug, &format!("AIS:{consent}"))
        .await?;
    let mut amina = Browser::new(journey.http.clone());
    let login = amina.open(&begun.url).await?;
    let asks = sign_in_at(&mut amina, &login, LION.member.0).await?;
    let decision = asks.form("decision")?;
    let mut nobody = Browser::new(journey.http.clone());
    let before = state::of(&scene.stage).await?;
    let theirs = tendai.open(asks.url.as_str()).await?;
    anyhow::ensure!(
        theirs.status == 404,
        "another member opened it: {}",
        theirs.text()
    );
    for (who, browser) in [("another member", &mut *tendai), ("nobody", &mut nobody)] {
        let sent = browser
            .submit(&asks, &decision, &[("decision", "continue")])
            .await?;
        anyhow::ensure!(
            (400..500).contains(&sent.status),
            "{who} sent it: {}",
            sent.text()
        );
        anyhow::ensure!(
            before == state::of(&scene.stage).await?,
            "{who} changed something"
        );
    }
    // Somebody without a session is asked to sign in; that does not make the case theirs.
    let login = nobody.open(asks.url.as_str()).await?;
    anyhow::ensure!(
        login.form("decision").is_err(),
        "nobody was shown {}",
        login.text()
    );
    let page = sign_in_at(&mut nobody, &login, LION.supervisor.0).await?;
    anyhow::ensure!(
        page.form("decision").is_err(),
        "another member was shown {}",
        page.text()
    );
    Ok(())
}

/// A browser that is signed in at an institution, and the member's own page there.
async fn signed_in(scene: &Scene, tenant: &str, name: &str) -> anyhow::Result<(Browser, Page)> {
    let mut browser = Browser::new(scene.journey.http.clone());
    let me = scene.at(&format!("/t/{tenant}/me"));
    let login = browser.open(&me).await?;
    anyhow::ensure!(
        !login.url.as_str().starts_with(&me),
        "the page opened without a session"
    );
    let page = sign_in_at(&mut browser, &login, name).await?;
    anyhow::ensure!(
        page.url.as_str().starts_with(&me),
        "{} instead of {me}",
        page.url
    );
    let answer = scene.journey.http.request(Method::GET, &me).send().await?;
    anyhow::ensure!(
        answer.status().is_redirection(),
        "a stranger was answered {}",
        answer.status()
    );
    Ok((browser, page))
}
