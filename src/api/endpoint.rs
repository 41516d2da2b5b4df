//! One endpoint, said once: where it is, what answers it, and how it is described. The router and the `OpenAPI`
//! document are folded from the same list.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use utoipa::openapi::path::HttpMethod;

use super::openapi::operation::Operation;

/// What is said of an operation: what it is for, what goes in, what comes out, how it fails.
pub(super) type Describe = fn(Operation) -> Operation;

pub(super) struct Endpoint {
    path: &'static str,
    handler: MethodRouter,
    /// The Worker makes no document. Not to keep this there is what keeps all of it out of the wasm.
    #[cfg(not(target_arch = "wasm32"))]
    described: (HttpMethod, Describe),
}

impl Endpoint {
    pub(super) fn get<H: Handler<T, ()>, T: 'static>(
        path: &'static str,
        handler: H,
        describe: Describe,
    ) -> Self {
        let handler = on(MethodFilter::GET, handler);
        Self::new(path, handler, (HttpMethod::Get, describe))
    }

    pub(super) fn post<H: Handler<T, ()>, T: 'static>(
        path: &'static str,
        handler: H,
        describe: Describe,
    ) -> Self {
        let handler = on(MethodFilter::POST, handler);
        Self::new(path, handler, (HttpMethod::Post, describe))
    }

    pub(super) fn patch<H: Handler<T, ()>, T: 'static>(
        path: &'static str,
        handler: H,
        describe: Describe,
    ) -> Self {
        let handler = on(MethodFilter::PATCH, handler);
        Self::new(path, handler, (HttpMethod::Patch, describe))
    }

    pub(super) fn delete<H: Handler<T, ()>, T: 'static>(
        path: &'static str,
        handler: H,
        describe: Describe,
    ) -> Self {
        let handler = on(MethodFilter::DELETE, handler);
        Self::new(path, handler, (HttpMethod::Delete, describe))
    }

    #[inline]
    #[cfg_attr(
        target_arch = "wasm32",
        expect(
            unused_variables,
            clippy::needless_pass_by_value,
            reason = "it is not kept there"
        )
    )]
    fn new(path: &'static str, handler: MethodRouter, described: (HttpMethod, Describe)) -> Self {
        Self {
            path,
            handler,
            #[cfg(not(target_arch = "wasm32"))]
            described,
        }
    }

    pub(super) fn add_to(self, router: Router) -> Router {
        router.route(self.path, self.handler)
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn operation(self) -> Operation {
        let (method, describe) = self.described;
        describe(Operation::new(method, self.path))
    }
}
