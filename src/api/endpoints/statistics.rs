//! `GET /admin/statistics`: what happened in a period, and how it stands now, in numbers.

use http::Uri;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::audit::number;
use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::{Operator, from_query};
use crate::api::json::Json;
use crate::api::openapi::operation::{OPERATOR, Operation};
use crate::api::openapi::schemas::{one_of, plain};
use crate::domain::ids::ClientId;
use crate::domain::statistics::{Bucket, Counts, Step};
use crate::domain::time::UnixTime;
use crate::error::Error;
use crate::flows::statistics::{self, Period, Standing};

pub(super) fn endpoints() -> [Endpoint; 1] {
    let access = Access::Operator;
    [Endpoint::get("/admin/statistics", access, read, describe)]
}

/// What is looked back on where nothing is said, in seconds.
const A_DAY: u64 = 86_400;
/// Seconds that every time of the record is below.
const LAST: i64 = 1 << 40;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    client_id: Option<String>,
    from: Option<String>,
    to: Option<String>,
    step: Option<String>,
    group_by: Option<String>,
}

impl Query {
    fn read(self, now: UnixTime) -> Result<Period, Error> {
        let time = |text, field| -> Result<Option<UnixTime>, Error> {
            let seconds = number(text, field, 0, LAST)?;
            Ok(seconds.and_then(|it| u64::try_from(it).ok()).map(UnixTime::from_secs))
        };
        let client = self.client_id.map(ClientId::try_from).transpose();
        let client = client.map_err(|error| Error::invalid("client_id", format!("Expected {error}")))?;
        let step = self.step.as_deref().unwrap_or("3600");
        let mut steps = Step::ALL.into_iter();
        let step = steps.find(|it| it.seconds().to_string() == step);
        let step = step.ok_or_else(|| Error::invalid("step", "Expected 300, 3600 or 86400"))?;
        let to = time(self.to, "to")?.unwrap_or_else(|| now.plus(1));
        Ok(Period {
            client,
            from: time(self.from, "from")?.unwrap_or_else(|| to.minus(A_DAY)),
            to,
            step,
            by_client: match self.group_by.as_deref() {
                None => false,
                Some("client") => true,
                Some(_) => return Err(Error::invalid("group_by", "Expected client")),
            },
        })
    }
}

/// How many users have each class of codes locked at this moment.
#[derive(Serialize, ToSchema)]
#[schema(as = LockedNow)]
struct Locked {
    totp: u64,
    delivered: u64,
    recovery: u64,
}

impl From<Standing> for Locked {
    fn from(standing: Standing) -> Self {
        Self {
            totp: standing.totp_locked,
            delivered: standing.delivered_locked,
            recovery: standing.recovery_locked,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = ClientNow)]
struct ClientNow {
    client_id: String,
    users: u64,
    locked: Locked,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Statistics)]
struct StatisticsResponse {
    /// The period in whole buckets: from the beginning of the first to the end of the last.
    from: UnixTime,
    to: UnixTime,
    step: u64,
    /// False where so much is in the record that it is not all counted yet: ask again.
    complete: bool,
    /// Users there are now.
    users: u64,
    locked: Locked,
    /// The same of each client, with `group_by=client`; else empty.
    clients: Vec<ClientNow>,
    /// Of the whole period.
    total: Counts,
    /// In order of time. One in which nothing happened is left out.
    buckets: Vec<Bucket>,
}

async fn read(Operator(call): Operator, uri: Uri) -> Result<Json<StatisticsResponse>, Error> {
    let period = from_query::<Query>(&uri)?.read(call.now)?;
    let read = statistics::read(&call, &period).await?;
    let clients = read.clients.into_iter().map(|(client_id, standing)| ClientNow {
        client_id,
        users: standing.users,
        locked: standing.into(),
    });
    Ok(Json(StatisticsResponse {
        from: read.from,
        to: read.to,
        step: period.step.seconds(),
        complete: read.is_complete,
        users: read.now.users,
        locked: read.now.into(),
        clients: clients.collect(),
        total: read.report.total,
        buckets: read.report.buckets,
    }))
}

fn example() -> Value {
    let counts = json!({
        "enrolments": {"begun": 12, "finished": 11},
        "verifications": [
            {"method": null, "class": "totp", "outcome": "failed", "count": 7},
            {"method": "sms", "class": null, "outcome": "verified", "count": 36},
            {"method": "totp", "class": null, "outcome": "verified", "count": 410},
        ],
        "locks": [{"class": "totp", "count": 1}],
        "messages": [{
            "channel": "sms", "country": "ES", "range": null, "sent": 40, "failed": 1, "refused": 0, "verified": 36,
        }],
        "provider_calls": [{"provider": "twilio", "count": 41, "failures": 1, "p50_ms": 320, "p95_ms": 800}],
    });
    let mut bucket = json!({"at": 1_760_004_000, "client_id": null});
    if let (Some(bucket), Some(counts)) = (bucket.as_object_mut(), counts.as_object()) {
        bucket.extend(counts.clone());
    }
    json!({
        "from": 1_760_004_000, "to": 1_760_007_600, "step": 3600, "complete": true,
        "users": 5210, "locked": {"totp": 1, "delivered": 0, "recovery": 0}, "clients": [],
        "total": counts, "buckets": [bucket],
    })
}

fn describe(operation: Operation) -> Operation {
    let seconds = || {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(0))
            .maximum(Some(LAST))
    };
    let steps = one_of("", Step::ALL.map(|step| json!(step.seconds().to_string())));
    let groups = one_of("", [json!("client")]);
    operation
        .named("getStatistics", OPERATOR, "Count what happened")
        .text(
            "Numbers of a period, the last 24 hours if nothing is said, in buckets of 300, 3600 or 86400 seconds. \
             They name no user. Buckets of 300 seconds are kept for 3 days, of an hour for 60 days, of a day for 800. \
             An answer has at most 1000 buckets (of each client, with `group_by=client`).\n\n\
             Everything up to now is in it. A message counts where it was sent, also when its code comes back later: \
             the last ten minutes still change. A right code that was used before counts once a minute and user. \
             Test clients never count.",
        )
        .in_query("client_id", false, plain(), "Only of this client.", json!("shop"))
        .in_query("from", false, seconds(), "From the bucket with this second on; a day before `to` if it is missing.", json!(1_760_004_000))
        .in_query("to", false, seconds(), "Before this second, and to the end of its bucket; now if it is missing.", json!(1_760_007_600))
        .in_query("step", false, steps, "Seconds of a bucket; an hour if it is missing.", json!("3600"))
        .in_query("group_by", false, groups, "Each client on its own.", json!("client"))
        .answers::<StatisticsResponse>("The numbers", &[("An hour", example())])
}
