//! Telling a user by e-mail that a way to sign in was added, replaced or removed, or that MFA was turned off, where the
//! client is set to. It is sent after the answer, and no answer depends on it.

use serde_json::json;

use super::asked::Asked;
use super::change::{Effects, Write};
use super::destination::{is_configured, providers_of};
use super::send::{hand_over_notice, notice_quotas};
use super::test_clients;
use crate::call::Task;
use crate::domain::account::{Account, FactorView};
use crate::domain::client::ClientState;
use crate::domain::contact::email::Email;
use crate::domain::contact::mail::{self, About, Mail};
use crate::domain::contact::message::EmailText;
use crate::domain::crypto::sealing::SealError;
use crate::domain::event::{Event, Kind};
use crate::domain::ids::FactorId;
use crate::domain::method::{Channel, MessagePurpose};
use crate::error::Error;
use crate::storage::audit_log;
use crate::storage::counters::Quota;

/// A notice that was written and not sent.
struct Notice {
    mail: Mail,
    to: Email,
    text: EmailText,
}

/// What is left to be sent of a change once it is stored, if its user is to be told of it.
pub(super) fn notice_later(
    asked: &Asked,
    client: &ClientState,
    before: Option<&Account>,
    effects: &Effects,
) -> Option<Task> {
    let Write::Store(after) = &effects.write else {
        return None;
    };
    // Whoever moves a million users here does not write to all of them.
    let imported = effects
        .events
        .iter()
        .any(|event| event.kind == Kind::Imported);
    if imported || !is_configured(&asked.app().config, client, Channel::Email) {
        return None;
    }
    let notice = write(asked, client, before, after);
    let notice = notice.inspect_err(|error| log::warn!("a notice could not be written: {error}"));
    let notice = notice.ok()??;
    let (asked, client) = (asked.clone(), client.clone());
    Some(Box::pin(async move {
        if let Err(error) = send(&asked, &client, &notice).await {
            log::warn!("a notice was not sent: {error}");
        }
    }))
}

/// What changed of the ways to sign in.
enum Change {
    Off,
    Added(FactorId),
    Removed(FactorId),
}

fn compare(before: Option<&Account>, after: &Account) -> Option<Change> {
    let had = before.map(Account::factors_that_count).unwrap_or_default();
    let has = after.factors_that_count();
    if has.is_empty() && !had.is_empty() {
        return Some(Change::Off);
    }
    // What took the place of another is told as what was added.
    let added = has.iter().find(|id| !had.contains(id));
    let removed = had.iter().find(|id| !has.contains(id));
    match (added, removed) {
        (Some(id), _) => Some(Change::Added((*id).clone())),
        (None, Some(id)) => Some(Change::Removed((*id).clone())),
        (None, None) => None,
    }
}

/// To the address that was on file before the change: a change of both is not told to whoever made it alone.
fn write(
    asked: &Asked,
    client: &ClientState,
    before: Option<&Account>,
    after: &Account,
) -> Result<Option<Notice>, SealError> {
    let Some(change) = compare(before, after) else {
        return Ok(None);
    };
    let vault = asked.vault();
    let former = before.map(|before| before.email(vault)).transpose()?;
    let Some(to) = former
        .flatten()
        .map_or_else(|| after.email(vault), |it| Ok(Some(it)))?
    else {
        return Ok(None);
    };
    let listed = |account: &Account| account.factors(vault, asked.now());
    let one_of = |factors: Vec<FactorView>, id: &FactorId| {
        factors.into_iter().find(|factor| factor.id == *id)
    };
    let (mail, way, ways) = match &change {
        Change::Off => (Mail::MfaOff, None, Vec::new()),
        Change::Added(id) => (Mail::WayAdded, one_of(listed(after)?, id), Vec::new()),
        Change::Removed(id) => {
            let removed = before.map(listed).transpose()?.unwrap_or_default();
            (
                Mail::WayRemoved,
                one_of(removed, id),
                named(after, &listed(after)?),
            )
        }
    };
    let name = way.as_ref().and_then(|way| way.name.as_deref());
    let about = About {
        at: asked.now(),
        way: way.as_ref().map(|way| way.kind.name()),
        // As its app shows it, where its user gave it no name.
        name: Some(name.unwrap_or(client.brand_name())),
        ways: &ways,
        ..About::default()
    };
    let text = mail::render(mail, client.settings.locale, client.look(), &about);
    Ok(Some(Notice { mail, to, text }))
}

/// The names of the ways that are left: all of them, or none.
fn named(account: &Account, factors: &[FactorView]) -> Vec<String> {
    let counting = account.factors_that_count();
    let left = factors
        .iter()
        .filter(|factor| counting.contains(&&factor.id));
    let names: Option<Vec<String>> = left.map(|factor| factor.name.clone()).collect();
    names.unwrap_or_default()
}

/// Counts it and sends it once. It has limits of its own beside those of the codes, so that neither keeps the other
/// from its user: who asks for codes silences no notice, and who brings about notices takes nobody's codes.
async fn send(asked: &Asked, client: &ClientState, notice: &Notice) -> Result<(), Error> {
    let app = asked.app();
    let detail = json!({"notice": notice.mail.name()});
    let quotas = notice_quotas(asked, client, &notice.to);
    let providers = providers_of(asked, client, Channel::Email);
    let sent = Event::new(Kind::NoticeSent).with(detail.clone());
    if !audit_log::record_within(&*app.db, asked.scene(), &sent, &quotas, &providers).await? {
        let detail = json!({"notice": notice.mail.name(), "reason": "limit"});
        let refused = Event::new(Kind::SendRefused).with(detail);
        app.db
            .run(audit_log::record(asked.scene(), &refused))
            .await?;
        return Ok(());
    }
    if client.is_for_tests {
        return keep(asked, notice).await;
    }
    let handed_over = hand_over_notice(asked, client, &notice.to, &notice.text).await;
    let Err(mut undelivered) = handed_over else {
        return Ok(());
    };
    if let Some(detail) = undelivered.detail.as_object_mut() {
        detail.insert("notice".to_owned(), notice.mail.name().into());
    }
    let failed = Event::new(Kind::DeliveryFailed).with(undelivered.detail);
    let mut batch = vec![audit_log::record(asked.scene(), &failed)];
    if undelivered.nothing_sent {
        batch.extend(quotas.iter().filter_map(Quota::give_back));
    }
    app.db.batch(batch).await?;
    Ok(())
}

/// What a test client finds in the place of a message.
async fn keep(asked: &Asked, notice: &Notice) -> Result<(), Error> {
    let message = test_clients::Message {
        channel: Channel::Email,
        purpose: MessagePurpose::Notice,
        to: notice.to.as_str().to_owned(),
        subject: Some(notice.text.subject.clone()),
        text: notice.text.text.clone(),
        code: None,
        sent_at: asked.now(),
    };
    test_clients::keep(asked, &message).await
}
