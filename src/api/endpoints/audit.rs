//! `GET /admin/audit`: the record of events, as pages of JSON, lines of JSON, or CSV.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, LINK};
use http::{HeaderValue, Uri};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::{Operator, from_query};
use crate::api::json::Json;
use crate::api::openapi::operation::{OPERATOR, Operation};
use crate::api::openapi::schemas::{one_of, plain};
use crate::domain::csv;
use crate::domain::time::UnixTime;
use crate::error::Error;
use crate::flows::admin::{self, Entry, Filter, Order};

pub(super) fn endpoints() -> [Endpoint; 1] {
    let access = Access::Operator;
    [Endpoint::get("/admin/audit", access, audit, describe)]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    client_id: Option<String>,
    user_id: Option<String>,
    event: Option<String>,
    operator: Option<String>,
    from: Option<String>,
    to: Option<String>,
    after: Option<String>,
    before: Option<String>,
    limit: Option<String>,
    format: Option<String>,
}

#[derive(Clone, Copy)]
enum Format {
    Json,
    JsonLines,
    Csv,
}

/// The greatest id there can be: D1's numbers are JavaScript's.
const LAST_ID: i64 = (1 << 53) - 1;

impl AuditQuery {
    fn read(self) -> Result<(Filter, Format), Error> {
        let limit = number(self.limit, "limit", 1, 1000)?.unwrap_or(100);
        let after = number(self.after, "after", 0, LAST_ID)?;
        let before = number(self.before, "before", 0, LAST_ID)?;
        let order = match (after, before) {
            (Some(_), Some(_)) => {
                let message = "Not together with after, which goes the other way";
                return Err(Error::invalid("before", message));
            }
            (None, Some(id)) => Order::Before(id),
            (after, None) => Order::After(after.unwrap_or(0)),
        };
        let format = match self.format.as_deref() {
            None | Some("json") => Format::Json,
            Some("jsonl") => Format::JsonLines,
            Some("csv") => Format::Csv,
            Some(_) => return Err(Error::invalid("format", "Expected json, jsonl or csv")),
        };
        let time = |text, field| -> Result<Option<UnixTime>, Error> {
            let seconds = number(text, field, 0, LAST_ID)?;
            Ok(seconds.and_then(|it| u64::try_from(it).ok()).map(UnixTime::from_secs))
        };
        let filter = Filter {
            client_id: self.client_id,
            user_id: self.user_id,
            event: self.event,
            operator: self.operator,
            from: time(self.from, "from")?,
            to: time(self.to, "to")?,
            order,
            limit: u32::try_from(limit).unwrap_or(1000),
        };
        Ok((filter, format))
    }
}

/// A number of a query, where it is given.
pub(super) fn number(
    text: Option<String>,
    field: &'static str,
    least: i64,
    most: i64,
) -> Result<Option<i64>, Error> {
    let Some(text) = text else { return Ok(None) };
    let number = text.parse().ok();
    let number = number.filter(|number| (least..=most).contains(number));
    let expected = || Error::invalid(field, format!("Expected a number from {least} to {most}"));
    number.map(Some).ok_or_else(expected)
}

/// A recorded event.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditEvent {
    id: i64,
    at: i64,
    client_id: Option<String>,
    user_id: Option<String>,
    event: String,
    outcome: String,
    method: Option<String>,
    /// Which operator brought it about, by the name of the token; null where it was none.
    operator: Option<String>,
    request_id: String,
    #[schema(value_type = Object)]
    detail: Value,
}

impl From<Entry> for AuditEvent {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            at: entry.at,
            client_id: entry.client_id,
            user_id: entry.user_id,
            event: entry.event,
            outcome: entry.outcome,
            method: entry.method,
            operator: entry.operator,
            request_id: entry.request_id,
            detail: entry.detail,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = AuditEvents)]
struct AuditResponse {
    events: Vec<AuditEvent>,
    /// What to give as `after` for the next page, or as `before` where that was given; null on the last one.
    next: Option<i64>,
}

async fn audit(Operator(call): Operator, uri: Uri) -> Result<Response, Error> {
    let (filter, format) = from_query::<AuditQuery>(&uri)?.read()?;
    let (order, limit) = (filter.order, filter.limit);
    let entries = admin::audit(&call, filter).await?;
    let full = u32::try_from(entries.len()).is_ok_and(|length| length == limit);
    let next = entries.last().filter(|_| full).map(|entry| entry.id);
    let (media_type, text) = match format {
        Format::Json => {
            let events = entries.into_iter().map(AuditEvent::from).collect();
            return Ok(Json(AuditResponse { events, next }).into_response());
        }
        Format::JsonLines => ("application/x-ndjson", json_lines(entries)?),
        Format::Csv => ("text/csv; charset=utf-8; header=present", csv_lines(&entries)),
    };
    let media_type = [(CONTENT_TYPE, HeaderValue::from_static(media_type))];
    let mut response = (media_type, text).into_response();
    if let Some(link) = next.and_then(|next| link(&uri, order, next)) {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

/// Where the next page is, for formats that have no place to say it (RFC 8288).
fn link(uri: &Uri, order: Order, next: i64) -> Option<HeaderValue> {
    let name = match order {
        Order::After(_) => "after",
        Order::Before(_) => "before",
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    let given = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    query.extend_pairs(given.filter(|(field, _)| field != name));
    query.append_pair(name, &next.to_string());
    let link = format!("<{}?{}>; rel=\"next\"", uri.path(), query.finish());
    HeaderValue::from_str(&link).ok()
}

fn json_lines(entries: Vec<Entry>) -> Result<String, Error> {
    let mut text = String::new();
    for entry in entries {
        let line = serde_json::to_string(&AuditEvent::from(entry)).map_err(Error::internal)?;
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}

fn csv_lines(entries: &[Entry]) -> String {
    let mut text = String::new();
    let names = [
        "id", "at", "client_id", "user_id", "event", "outcome", "method", "operator", "request_id",
        "detail",
    ];
    csv::push_line(&mut text, names);
    for entry in entries {
        let (id, at) = (entry.id.to_string(), entry.at.to_string());
        let detail = entry.detail.to_string();
        let of = |value: &'_ Option<String>| value.clone().unwrap_or_default();
        let (client, user) = (of(&entry.client_id), of(&entry.user_id));
        let (method, operator) = (of(&entry.method), of(&entry.operator));
        let fields = [
            &id, &at, &client, &user, &entry.event, &entry.outcome, &method, &operator,
            &entry.request_id, &detail,
        ];
        csv::push_line(&mut text, fields.map(String::as_str));
    }
    text
}

/// An event as it may look.
pub(super) fn example() -> Value {
    json!({
        "id": 42, "at": 1_760_000_000, "client_id": "shop", "user_id": "user123", "event": "verified",
        "outcome": "success", "method": "totp", "operator": null,
        "request_id": "01JZ6T9Q3X4Y5Z6A7B8C9D0E1F", "detail": {},
    })
}

fn describe(operation: Operation) -> Operation {
    let whole = |least: i64, most: i64| {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(least))
            .maximum(Some(most))
    };
    let formats = one_of("", ["json", "jsonl", "csv"].map(|name| json!(name)));
    operation
        .named("listAuditEvents", OPERATOR, "Read the record of events")
        .text(
            "Oldest first. Ask again with `after` set to `next` until that is null. With `before` it is newest first: \
             begin with `before=9007199254740991`, and go on with `before` set to `next`. Events are kept for \
             `AUDIT_RETENTION_DAYS`, a year if that is not set.\n\n\
             As `csv` and `jsonl` a page has no `next`; the header `Link` with `rel=\"next\"` says where the next one is. In \
             CSV a field that a spreadsheet would take for a formula begins with an apostrophe.",
        )
        .in_query("client_id", false, plain(), "Only of this client.", json!("shop"))
        .in_query("user_id", false, plain(), "Only of this user.", json!("user123"))
        .in_query("event", false, plain(), "Only of this kind, e.g. `failed`.", json!("failed"))
        .in_query("operator", false, plain(), "Only what this operator brought about.", json!("ann"))
        .in_query("from", false, whole(0, LAST_ID), "From this second on.", json!(1_760_000_000))
        .in_query("to", false, whole(0, LAST_ID), "Before this second.", json!(1_760_086_400))
        .in_query("after", false, whole(0, LAST_ID), "Only events with a greater id, oldest first.", json!(41))
        .in_query("before", false, whole(0, LAST_ID), "Only events with a smaller id, newest first.", json!(43))
        .in_query("limit", false, whole(1, 1000).default(Some(json!(100))), "At most this many.", json!(100))
        .in_query("format", false, formats, "JSON if it is missing.", json!("csv"))
        .answers::<AuditResponse>("Events", &[("Last page", json!({"events": [example()], "next": null}))])
        .answers_also("application/x-ndjson", "An event a line, as in `events`.")
        .answers_also("text/csv", "A line of names, then an event a line.")
}
