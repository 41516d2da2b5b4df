//! `/admin/users`: users, as the operator sees them.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::audit::{self, AuditEvent, number};
use crate::api::answers::Success;
use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::{Operator, from_query};
use crate::api::json::Json;
use crate::api::openapi::operation::{OPERATOR, Operation};
use crate::api::openapi::schemas::{plain, reference};
use crate::domain::account::{CountView, FactorType, FactorView, State};
use crate::domain::ids::{ClientId, FactorId, Owner, UserId};
use crate::domain::method::Class;
use crate::domain::time::UnixTime;
use crate::error::{Error, ErrorCode};
use crate::flows::Asked;
use crate::flows::users::{self, Listed, Shown};

pub(super) fn endpoints() -> [Endpoint; 5] {
    let (access, one) = (Access::Operator, "/admin/users/{client_id}/{user_id}");
    let (disable_one, export_one) = (
        "/admin/users/{client_id}/{user_id}/disable",
        "/admin/users/{client_id}/{user_id}/export",
    );
    [
        Endpoint::get("/admin/users", access, list, describe_list),
        Endpoint::get(one, access, show, describe_show),
        Endpoint::delete(one, access, delete, describe_delete),
        Endpoint::post(disable_one, access, disable, describe_disable),
        Endpoint::get(export_one, access, export, describe_export),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    client_id: ClientId,
    prefix: Option<String>,
    after: Option<String>,
    limit: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ListedUser)]
struct ListedResponse {
    user_id: UserId,
    mfa_enabled: bool,
    created_at: UnixTime,
    /// When anything of the user was last stored: a verification does too.
    updated_at: UnixTime,
}

impl From<Listed> for ListedResponse {
    fn from(user: Listed) -> Self {
        Self {
            user_id: user.user_id,
            mfa_enabled: user.mfa_enabled != 0,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = UserList)]
struct ListResponse {
    users: Vec<ListedResponse>,
    /// What to give as `after` for the next page; null on the last one.
    next: Option<UserId>,
}

async fn list(Operator(call): Operator, uri: Uri) -> Result<Json<ListResponse>, Error> {
    let query: ListQuery = from_query(&uri)?;
    let limit = number(query.limit, "limit", 1, 1000)?.unwrap_or(100);
    let limit = u32::try_from(limit).unwrap_or(1000);
    let (prefix, after) = (
        query.prefix.unwrap_or_default(),
        query.after.unwrap_or_default(),
    );
    let users = users::list(&call, &query.client_id, &prefix, &after, limit).await?;
    let full = u32::try_from(users.len()).is_ok_and(|length| length == limit);
    let next = users.last().filter(|_| full);
    let next = next.map(|user| user.user_id.clone());
    let users = users.into_iter().map(ListedResponse::from).collect();
    Ok(Json(ListResponse { users, next }))
}

fn describe_list(operation: Operation) -> Operation {
    let limit = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(1000))
        .default(Some(json!(100)));
    let user = json!({"user_id": "user123", "mfa_enabled": true, "created_at": 1_760_000_000, "updated_at": 1_760_000_100});
    operation
        .named("listUsers", OPERATOR, "List a client's users")
        .text("By id, byte for byte. Ask again with `after` set to `next` until that is null.")
        .in_query("client_id", true, reference::<ClientId>(), "Whose users.", json!("shop"))
        .in_query("prefix", false, plain(), "Only users whose id begins so.", json!("user"))
        .in_query("after", false, plain(), "Only users after this id.", json!("user122"))
        .in_query("limit", false, limit, "At most this many.", json!(100))
        .answers::<ListResponse>("The users", &[("Last page", json!({"users": [user], "next": null}))])
}

/// Which user of which client. What can be neither is not there.
struct OneUser(Owner);

impl<S: Send + Sync> FromRequestParts<S> for OneUser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((client, user)) = path.map_err(|_| Error::NotFound)?;
        let client = ClientId::try_from(client).map_err(|_| Error::UserNotFound)?;
        let user = UserId::try_from(user).map_err(|_| Error::UserNotFound)?;
        Ok(Self(Owner { client, user }))
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = UserFactor)]
struct FactorResponse {
    id: FactorId,
    r#type: FactorType,
    /// What its user calls it, or else the account name that an app shows.
    name: Option<String>,
    state: State,
    created_at: UnixTime,
    confirmed_at: Option<UnixTime>,
    last_used_at: Option<UnixTime>,
}

impl From<FactorView> for FactorResponse {
    fn from(factor: FactorView) -> Self {
        Self {
            id: factor.id,
            r#type: factor.kind,
            name: factor.name.or(factor.account_name),
            state: factor.state,
            created_at: factor.created_at,
            confirmed_at: factor.confirmed_at,
            last_used_at: factor.last_used_at,
        }
    }
}

/// Wrong guesses at one class of codes.
#[derive(Serialize, ToSchema)]
#[schema(as = UserCount)]
struct CountResponse {
    #[schema(value_type = String)]
    class: Class,
    /// In a row.
    failures: u32,
    failures_in_24_hours: usize,
    locked_until: Option<UnixTime>,
}

impl From<CountView> for CountResponse {
    fn from(count: CountView) -> Self {
        Self {
            class: count.class,
            failures: count.failures,
            failures_in_24_hours: count.failures_in_24_hours,
            locked_until: count.locked_until,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = User)]
struct UserResponse {
    client_id: ClientId,
    user_id: UserId,
    mfa_enabled: bool,
    state: State,
    /// Masked, but for an export.
    phone: Option<String>,
    email: Option<String>,
    factors: Vec<FactorResponse>,
    recovery_codes_remaining: usize,
    counts: Vec<CountResponse>,
    created_at: UnixTime,
    last_verified_at: Option<UnixTime>,
    /// The newest first: the last 20, or 1000 in an export. `GET /admin/audit` has the others.
    events: Vec<AuditEvent>,
}

impl UserResponse {
    fn new(owner: Owner, shown: Shown) -> Self {
        Self {
            client_id: owner.client,
            user_id: owner.user,
            mfa_enabled: shown.mfa_enabled,
            state: shown.state,
            phone: shown.phone,
            email: shown.email,
            factors: shown.factors.into_iter().map(Into::into).collect(),
            recovery_codes_remaining: shown.recovery_codes_remaining,
            counts: shown.counts.into_iter().map(Into::into).collect(),
            created_at: shown.created_at,
            last_verified_at: shown.last_verified_at,
            events: shown.events.into_iter().map(Into::into).collect(),
        }
    }
}

async fn show(
    Operator(call): Operator,
    OneUser(owner): OneUser,
) -> Result<Json<UserResponse>, Error> {
    let shown = users::show(&Asked::by_operator(call, owner.clone())).await?;
    Ok(Json(UserResponse::new(owner, shown)))
}

fn example() -> Value {
    json!({
        "client_id": "shop", "user_id": "user123", "mfa_enabled": true, "state": "active",
        "phone": "+34•••••••22", "email": null,
        "factors": [{"id": "8f14e45fceea167a5a36dedd4bea2543", "type": "totp", "name": "user123", "state": "active", "created_at": 1_760_000_000, "confirmed_at": 1_760_000_060, "last_used_at": 1_760_000_100}],
        "recovery_codes_remaining": 10,
        "counts": [{"class": "totp", "failures": 0, "failures_in_24_hours": 2, "locked_until": null}],
        "created_at": 1_760_000_000, "last_verified_at": 1_760_000_100, "events": [audit::example()],
    })
}

fn of_one(operation: Operation) -> Operation {
    operation
        .in_path::<ClientId>("client_id", "shop")
        .in_path::<UserId>("user_id", "user123")
        .fails_with([ErrorCode::UserNotFound])
}

fn describe_show(operation: Operation) -> Operation {
    of_one(operation)
        .named("getUser", OPERATOR, "Show a user")
        .text("What is set up, what is locked and until when, and what happened last. Contact data is masked.")
        .answers::<UserResponse>("The user", &[("User", example())])
}

/// Everything that is held about the user.
#[derive(Serialize, ToSchema)]
#[schema(as = UserExport)]
struct ExportResponse {
    exported_at: UnixTime,
    user: UserResponse,
    /// The stored account without what is sealed or a digest. Its fields may change from version to version.
    #[schema(value_type = Object)]
    stored: Value,
}

async fn export(
    Operator(call): Operator,
    OneUser(owner): OneUser,
) -> Result<Json<ExportResponse>, Error> {
    let exported_at = call.now;
    let asked = Asked::by_operator(call, owner.clone());
    let (shown, stored) = users::export(&asked).await?;
    let user = UserResponse::new(owner, shown);
    Ok(Json(ExportResponse {
        exported_at,
        user,
        stored,
    }))
}

fn describe_export(operation: Operation) -> Operation {
    let mut user = example();
    if let Some(user) = user.as_object_mut() {
        user.insert("phone".to_owned(), json!("+34600111222"));
    }
    let export = json!({"exported_at": 1_760_000_200, "user": user, "stored": {"format": 2, "created_at": 1_760_000_000}});
    of_one(operation)
        .named("exportUser", OPERATOR, "Hand over what is held about a user")
        .text(
            "For a user who asks what is stored (GDPR, article 15): contact data in full, factors, counts, events. Secrets, \
             codes and digests are left out.",
        )
        .answers::<ExportResponse>("All of it", &[("Export", export)])
}

async fn disable(
    Operator(call): Operator,
    OneUser(owner): OneUser,
) -> Result<Json<Success>, Error> {
    users::disable(&Asked::by_operator(call, owner)).await?;
    Ok(Json(Success::new("MFA disabled for user")))
}

fn describe_disable(operation: Operation) -> Operation {
    of_one(operation)
        .named("disableUser", OPERATOR, "Turn a user's MFA off")
        .text("As POST /mfa/disable, and without a fresh code, whatever the client's policy is.")
        .answers::<Success>("MFA is off", &[("Off", json!(Success::new("MFA disabled for user")))])
        .fails_with([ErrorCode::RateLimited])
}

async fn delete(
    Operator(call): Operator,
    OneUser(owner): OneUser,
) -> Result<StatusCode, Error> {
    users::delete(&Asked::by_operator(call, owner)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn describe_delete(operation: Operation) -> Operation {
    of_one(operation)
        .named("deleteUserAsOperator", OPERATOR, "Delete a user of any client")
        .text("Everything about the user is gone but the record of events.")
        .answers_nothing("Gone")
        .fails_with([ErrorCode::RateLimited])
}
