//! What a handler is given: the call, the caller, a checked body.

use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Path, Request};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Method, Uri};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use super::endpoint::Access;
use super::strict_json;
use crate::call::Call;
use crate::domain::fields::{self, Fields};
use crate::domain::ids::{ClientId, UserId};
use crate::domain::scope::Scope;
use crate::error::{Error, TokenProblem};
use crate::flows::{Asked, Caller, tokens};

/// The call a request is, with its route noted for the log.
#[derive(Clone)]
pub(super) struct Traced(pub Call);

impl<S: Sync> FromRequestParts<S> for Traced {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        traced(parts).map(Self)
    }
}

pub(super) fn traced(parts: &Parts) -> Result<Call, Error> {
    let call = parts.extensions.get::<Call>().cloned();
    let call = call.ok_or_else(|| Error::internal("a request outside of serve()"))?;
    if let Some(route) = parts.extensions.get::<MatchedPath>() {
        call.trace.set_route(route.as_str());
    }
    Ok(call)
}

/// A request about a user. It may name the client it comes from, which must be the token's (TEN-01).
pub(super) trait OfUser {
    fn names(&self) -> (&UserId, Option<&ClientId>);
}

/// `OfUser` for requests with the fields `user_id` and `client_id`.
macro_rules! of_user {
    ($($request:ty),* $(,)?) => {$(
        impl $crate::api::extract::OfUser for $request {
            fn names(
                &self,
            ) -> (&$crate::domain::ids::UserId, Option<&$crate::domain::ids::ClientId>) {
                (&self.user_id, self.client_id.as_ref())
            }
        }
    )*};
}
pub(super) use of_user;

/// What an authenticated client asks about a user. The token is verified before the body is looked at.
pub(super) struct Authorized<T> {
    pub asked: Asked,
    pub body: T,
}

impl<T: DeserializeOwned + OfUser, S: Sync> FromRequest<S> for Authorized<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        let (call, caller, fields) = receive(request).await?;
        let body: T = from_fields(fields)?;
        let (user, client) = body.names();
        refuse_other_client(&caller, client)?;
        let asked = Asked::by_client(call, caller, user.clone());
        Ok(Self { asked, body })
    }
}

/// A client that a request names is the one whose token it has (TEN-01).
pub(super) fn refuse_other_client(caller: &Caller, named: Option<&ClientId>) -> Result<(), Error> {
    match named {
        Some(client) if *client != caller.client => Err(Error::ClientMismatch),
        _ => Ok(()),
    }
}

/// What is the same for every kind of body.
async fn receive(request: Request) -> Result<(Call, Caller, Fields), Error> {
    let (parts, body) = request.into_parts();
    let call = traced(&parts)?;
    let caller = authenticate(&call, &parts)?;
    let bytes = body.collect().await.map_err(Error::internal)?.to_bytes();
    // The original API's GET carries its fields as a JSON body; everybody else's carries a query.
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    let fields = if bytes.is_empty() && reads {
        query_fields(&parts.uri)?
    } else {
        refuse_query(&parts.uri)?;
        json_fields(&parts.headers, &bytes)?
    };
    Ok((call, caller, fields))
}

/// Who the bearer token or API key belongs to. Either anywhere but in the header is not accepted (ATK-60).
pub(super) fn authenticate(call: &Call, parts: &Parts) -> Result<Caller, Error> {
    let Some(Access::Client(needs)) = parts.extensions.get() else {
        return Err(Error::internal(
            "an endpoint that is not listed as one for clients",
        ));
    };
    let caller = match &call.caller {
        Some(caller) => caller.clone().needing(*needs),
        None => tokens::caller(call, bearer(&parts.headers)?, *needs)?,
    };
    call.trace.set_client(&caller.client);
    Ok(caller)
}

/// Who the credentials say that asks, whatever for. That they are enough is the route's to see.
pub(super) fn presented(call: &Call, headers: &HeaderMap) -> Result<Caller, Error> {
    tokens::caller(call, bearer(headers)?, Scope::Read)
}

fn bearer(headers: &HeaderMap) -> Result<&str, Error> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values
        .next()
        .ok_or(Error::InvalidToken(TokenProblem::Missing))?;
    let malformed = Error::InvalidToken(TokenProblem::NotBearer);
    if values.next().is_some() {
        return Err(malformed);
    }
    let Some((scheme, token)) = value.to_str().ok().and_then(|text| text.split_once(' ')) else {
        return Err(malformed);
    };
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token)
    } else {
        Err(malformed)
    }
}

/// An authenticated client that asks about no user in particular.
pub(super) struct Token {
    pub call: Call,
    pub caller: Caller,
}

impl<S: Sync> FromRequestParts<S> for Token {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let call = traced(parts)?;
        let caller = authenticate(&call, parts)?;
        Ok(Self { call, caller })
    }
}

/// The variable part of a path. What is not UTF-8 names nothing there is.
pub(super) struct PathText(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathText {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let text = Path::from_request_parts(parts, state).await;
        text.map(|Path(text)| Self(text))
            .map_err(|_| Error::NotFound)
    }
}

/// The operator. While no `ADMIN_TOKEN` is set there is nothing here to find.
pub(super) struct Operator(pub Call);

impl<S: Sync> FromRequestParts<S> for Operator {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let call = traced(parts)?;
        let Some(Access::Operator) = parts.extensions.get() else {
            return Err(Error::internal(
                "an endpoint that is not listed as the operator's",
            ));
        };
        let operators = call.app.config.operators.as_ref();
        let operators = operators.ok_or(Error::NotFound)?;
        let operator = operators.find(bearer(&parts.headers)?);
        let operator = operator.ok_or(Error::InvalidToken(TokenProblem::NotTheOperators))?;
        let operator = Some(operator.clone());
        Ok(Self(Call { operator, ..call }))
    }
}

/// A JSON body, strictly read.
pub(super) struct ApiJson<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for ApiJson<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        refuse_query(&parts.uri)?;
        let bytes = body.collect().await.map_err(Error::internal)?.to_bytes();
        from_json(&parts.headers, &bytes).map(Self)
    }
}

pub(super) enum MediaType {
    Json,
    Form,
}

/// The media type of a body, if it is one we read and its text is UTF-8.
pub(super) fn media_type(headers: &HeaderMap) -> Result<MediaType, Error> {
    let text = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    let charset = parameters
        .split(';')
        .filter_map(|parameter| parameter.trim().split_once('='))
        .find_map(|(name, value)| {
            name.eq_ignore_ascii_case("charset")
                .then(|| value.trim_matches('"'))
        });
    if charset.is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8")) {
        return Err(Error::UnsupportedMediaType);
    }
    match essence.trim() {
        essence if essence.eq_ignore_ascii_case("application/json") => Ok(MediaType::Json),
        essence if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") => {
            Ok(MediaType::Form)
        }
        _ => Err(Error::UnsupportedMediaType),
    }
}

pub(super) fn from_json<T: DeserializeOwned>(
    headers: &HeaderMap,
    bytes: &[u8],
) -> Result<T, Error> {
    from_fields(json_fields(headers, bytes)?)
}

pub(super) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    from_fields(strict_json::fields(bytes)?)
}

/// Query parameters, read as strictly as a body: each once, none unknown. All values are strings.
pub(super) fn from_query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Error> {
    from_fields(query_fields(uri)?)
}

fn json_fields(headers: &HeaderMap, bytes: &[u8]) -> Result<Fields, Error> {
    let MediaType::Json = media_type(headers)? else {
        return Err(Error::UnsupportedMediaType);
    };
    strict_json::fields(bytes)
}

fn query_fields(uri: &Uri) -> Result<Fields, Error> {
    let mut fields = Fields::new();
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if fields
            .insert(name.to_string(), value.into_owned().into())
            .is_some()
        {
            return Err(Error::invalid(name, "This parameter is given twice"));
        }
    }
    Ok(fields)
}

/// The request the fields make, or which of them is wrong.
fn from_fields<T: DeserializeOwned>(fields: Fields) -> Result<T, Error> {
    fields::read(fields).map_err(|error| {
        let (field, message) = error.told();
        Error::InvalidRequest { field, message }
    })
}

/// Fields belong in the body: in a query they would end up in other people's logs.
fn refuse_query(uri: &Uri) -> Result<(), Error> {
    match uri.query() {
        None | Some("") => Ok(()),
        Some(query) => {
            let name = form_urlencoded::parse(query.as_bytes())
                .next()
                .map(|(name, _)| name.into_owned());
            Err(Error::InvalidRequest {
                field: name,
                message: "Query parameters are not accepted here; send the field in the body"
                    .to_owned(),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::domain::codes::guess::GuessedCode;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its errors are looked at")]
    struct Body {
        user_id: UserId,
        code: GuessedCode,
    }

    fn error(body: &str) -> (Option<String>, String) {
        match parse_json::<Body>(body.as_bytes()).unwrap_err() {
            Error::InvalidRequest { field, message } => (field, message),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn an_invalid_field_is_named_and_its_value_not_repeated() {
        let (field, message) = error(r#"{"user_id":"u","code":123456}"#);
        assert_eq!(
            (field.as_deref(), message.as_str()),
            (Some("code"), "Expected a string")
        );
        let (field, message) = error(r#"{"user_id":"an n","code":"123456"}"#);
        assert_eq!(field.as_deref(), Some("user_id"));
        assert_eq!(
            message,
            "Expected a user id of 1 to 128 printable ASCII characters without spaces, and not . or .."
        );
        assert_eq!(
            error(r#"{"user_id":"u"}"#),
            (Some("code".into()), "This field is missing".into())
        );
        let unknown = "There is no such field; those there are: user_id, code";
        assert_eq!(
            error(r#"{"user_id":"u","x":1,"code":"123456"}"#),
            (Some("x".into()), unknown.into())
        );
        let twice = r#"{"user_id":"u","user_id":"v","code":"123456"}"#;
        assert_eq!(
            error(twice),
            (Some("user_id".into()), "This field is given twice".into())
        );
        assert_eq!(
            error(""),
            (None, "The request body is empty; send a JSON object".into())
        );
        let quotes = "The request body is not valid JSON at line 1, column 2";
        assert_eq!(error("{'user_id':'u'}"), (None, quotes.into()));
    }
}
