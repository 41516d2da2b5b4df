//! Handing a notice to the providers of the client's e-mails.

use serde_json::Value;

use super::chain::carry;
use crate::domain::client::ClientState;
use crate::domain::contact::email::Email;
use crate::domain::contact::message::EmailText;
use crate::domain::method::{Channel, MessagePurpose};
use crate::flows::asked::Asked;
use crate::flows::destination::providers_of;
use crate::providers::{Content, Message};

/// Why it is not on its way.
pub(in crate::flows) struct Undelivered {
    pub nothing_sent: bool,
    /// For the record.
    pub detail: Value,
}

pub(in crate::flows) async fn hand_over(
    asked: &Asked,
    client: &ClientState,
    to: &Email,
    text: &EmailText,
) -> Result<(), Undelivered> {
    let message = Message {
        // One request sends one code and one notice at most.
        id: format!("msg_{}_notice", asked.call.request_id.as_str()),
        client: &asked.owner.client,
        sender: client.brand_name(),
        purpose: MessagePurpose::Notice,
        locale: client.settings.locale,
        code: None,
        content: Content::ToMailbox { to, text },
    };
    let chain = providers_of(asked, client, Channel::Email);
    let carried = carry(asked, &chain, &message).await;
    carried.map_err(|failures| Undelivered {
        nothing_sent: failures.nothing_sent(),
        detail: failures.detail(Channel::Email),
    })
}
