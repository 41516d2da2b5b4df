//! What is put into the outbox, decided with what happened.

use crate::domain::client::ClientState;
use crate::domain::event::{Event, Scene};
use crate::domain::webhook::Delivery;
use crate::error::Error;
use crate::storage::accounts::Noted;

/// Events with what the client's webhook is told of each.
pub(in crate::flows) fn noted(
    scene: Scene<'_>,
    client: &ClientState,
    events: Vec<Event>,
) -> Result<Vec<Noted>, Error> {
    let noted = events.into_iter().enumerate().map(|(place, event)| {
        let told = client.webhook.as_ref().filter(|it| it.wants(event.kind));
        let delivery = told
            .map(|_| Delivery::of(scene, &event, place))
            .transpose()?;
        Ok(Noted { event, delivery })
    });
    noted.collect()
}
