//! One endpoint, said once: where it is, what answers it, and how it is described. The router and the `OpenAPI`
//! document are folded from the same list.

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Extension, Router};
use utoipa::openapi::path::HttpMethod;

use super::openapi::operation::Operation;
use crate::domain::scope::Scope;

/// What is said of an operation: what it is for, what goes in, what comes out, how it fails.
pub(super) type Describe = fn(Operation) -> Operation;

/// Who an endpoint is for. Each says so in the list it stands in, and what reads the credentials of a request
/// refuses where nothing was said (ATK-106).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Whoever comes, with what the request itself proves.
    Anyone,
    /// A client, with a token or with an API key of this scope.
    Client(Scope),
    Operator,
}

pub(super) struct Endpoint {
    path: &'static str,
    handler: MethodRouter,
    /// The Worker makes no document. Not to keep this there is what keeps all of it out of the wasm.
    #[cfg(not(target_arch = "wasm32"))]
    described: (HttpMethod, Access, Describe),
}

impl Endpoint {
    pub(super) fn get<H: Handler<T, ()>, T: 'static>(
        path: &'static str,
        access: Access,
        handler: H,
        describe: Describe,
    ) -> Self {
        let handler = on(MethodFilter::GET, handler);
        Self::new(path, handler, (HttpMethod::Get, access, describe))
    }

    pub(super) fn post<H: Handler<T, ()>, T: 'static>(
        path: &'static str,
        access: Access,
        handler: H,
        describe: Describe,
    ) -> Self {
        let handler = on(MethodFilter::POST, handler);
        Self::new(path, handler, (HttpMethod::Post, access, describe))
    }

    pub(super) fn put<H: Handler<T, ()>, T: 'static>(
        path: &'static str,
        access: Access,
        handler: H,
        describe: Describe,
    ) -> Self {
        let handler = on(MethodFilter::PUT, handler);
        Self::new(path, handler, (HttpMethod::Put, access, describe))
    }

    pub(super) fn patch<H: Handler<T, ()>, T: 'static>(
        path: &'static str,
        access: Access,
        handler: H,
        describe: Describe,
    ) -> Self {
        let handler = on(MethodFilter::PATCH, handler);
        Self::new(path, handler, (HttpMethod::Patch, access, describe))
    }

    pub(super) fn delete<H: Handler<T, ()>, T: 'static>(
        path: &'static str,
        access: Access,
        handler: H,
        describe: Describe,
    ) -> Self {
        let handler = on(MethodFilter::DELETE, handler);
        Self::new(path, handler, (HttpMethod::Delete, access, describe))
    }

    #[inline]
    #[cfg_attr(
        target_arch = "wasm32",
        expect(clippy::needless_pass_by_value, reason = "it is not kept there")
    )]
    fn new(
        path: &'static str,
        handler: MethodRouter,
        described: (HttpMethod, Access, Describe),
    ) -> Self {
        let (_, access, _) = described;
        Self {
            path,
            handler: handler.layer(Extension(access)),
            #[cfg(not(target_arch = "wasm32"))]
            described,
        }
    }

    pub(super) fn add_to(self, router: Router) -> Router {
        router.route(self.path, self.handler)
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn operation(self) -> Operation {
        let (method, access, describe) = self.described;
        describe(Operation::new(method, self.path, access))
    }
}
