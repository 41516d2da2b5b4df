//! Every operation: what it is for, what goes in, what comes out, how it fails. A file for each tag.

mod authentication;
mod codes;
mod enrolment;
mod operator;
mod users;

use serde_json::{Value, json};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::route::Route;
use crate::domain::codes::guess::GuessedCode;
use crate::error::Error;

pub(super) const CLIENTS: &str = "Client authentication";
pub(super) const ENROLMENT: &str = "Enrolment";
pub(super) const CODES: &str = "Codes";
pub(super) const USERS: &str = "Users";
pub(super) const OPERATOR: &str = "Operator";
pub(super) const SERVICE: &str = "Service";

pub(super) fn all() -> Vec<Route> {
    let mut routes = authentication::all();
    routes.extend(enrolment::all());
    routes.extend(codes::verification());
    routes.extend(codes::sending());
    routes.extend(users::all());
    routes.extend(operator::of_clients());
    routes.extend(operator::of_the_service());
    routes
}

/// How judging a code fails.
fn judged() -> [Error; 4] {
    [
        Error::InvalidCode {
            attempts_remaining: Some(3),
            retry_after: None,
        },
        Error::CodeAlreadyUsed {
            retry_after: Some(12),
        },
        Error::FactorDisabled,
        Error::Locked { retry_after: 60 },
    ]
}

/// What takes something from a user may ask for a fresh code, and judges one that was sent.
fn stepped_up(route: Route) -> Route {
    let mut route = route;
    route.note::<GuessedCode>();
    route.fails_with(judged()).fails_with([
        Error::StepUpRequired,
        Error::UserNotFound,
        Error::MfaNotEnabled,
        busy(),
    ])
}

/// Lost too often against other requests of the same user.
fn busy() -> Error {
    Error::RateLimited { retry_after: 1 }
}

fn done(message: &str) -> Value {
    json!({"status": "success", "message": message})
}

fn plain() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}
