//! Everything that a job does to the world outside its process, as a closed list.
//!
//! A death between any two of these must be harmless, so each is announced before and after it
//! happens. Nobody listens in a release build; a build with debug assertions can be told to die or to
//! wait there (`FLEET_TEST_DIE`, `FLEET_TEST_HOLD`), and the tests do so at every one.

use crate::edge::queue::{Class, Dead, Delivery, Event, Keep, Message, Queue, Receipt, Trouble};
use crate::edge::store::{Head, Label, Multipart, Put, Store};
use crate::error::Violation;
use async_trait::async_trait;
use bytes::Bytes;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

macro_rules! effects {
    ($($(#[doc = $help:literal])* $effect:ident = $name:literal,)*) => {
        /// Something that a job does outside of its process.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Effect {
            $($(#[doc = $help])* $effect,)*
        }

        impl Effect {
            /// Every effect.
            pub const ALL: &[Effect] = &[$(Effect::$effect),*];

            /// Its name, in small letters with underscores.
            pub fn name(self) -> &'static str {
                match self {
                    $(Effect::$effect => $name,)*
                }
            }
        }
    };
}

effects! {
    /// Reads what stands as a run's result.
    GetResult = "get_result",
    /// Asks for an asset's size.
    OpenAsset = "open_asset",
    /// Reads an asset.
    FetchAsset = "fetch_asset",
    /// Writes a file in one request.
    PutObject = "put_object",
    /// Begins a file in parts.
    CreateMultipart = "create_multipart",
    /// Writes a part.
    UploadPart = "upload_part",
    /// Makes a file in parts appear.
    CompleteMultipart = "complete_multipart",
    /// Gives up a file in parts.
    AbortMultipart = "abort_multipart",
    /// Removes a file that no result names.
    DeleteObject = "delete_object",
    /// Decides a run.
    PutResult = "put_result",
    /// Asks a store that had failed whether it is back.
    ProbeStore = "probe_store",
    /// Publishes a result and waits for the confirm.
    PublishEvent = "publish_event",
    /// Sends a copy of the order for another attempt and waits for the confirm.
    PublishRetry = "publish_retry",
    /// Parks an order that is given up and waits for the confirm.
    PublishDead = "publish_dead",
    /// Settles a delivery.
    Ack = "ack",
    /// Gives a delivery back.
    Requeue = "requeue",
}

/// When an effect is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Nothing has happened yet.
    Before,
    /// It has happened, or failed.
    After,
}

impl Moment {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Moment::Before => "before",
            Moment::After => "after",
        }
    }
}

/// Announces an effect, lets it happen, and announces that it has.
pub(super) async fn announced<T>(effect: Effect, work: impl Future<Output = T>) -> T {
    announce(effect, Moment::Before).await;
    let result = work.await;
    announce(effect, Moment::After).await;
    result
}

async fn announce(effect: Effect, moment: Moment) {
    tracing::trace!(effect = effect.name(), moment = moment.name(), "an effect");
    #[cfg(debug_assertions)]
    super::planted::strike(effect, moment).await;
}

/// The results' store, announced.
#[derive(Debug)]
pub(super) struct Announced<T: ?Sized>(pub(super) Arc<T>);

#[async_trait]
impl Store for Announced<dyn Store> {
    async fn put_if_absent(&self, key: &str, media_type: &str, body: Bytes) -> Result<Put, Violation> {
        announced(Effect::PutResult, self.0.put_if_absent(key, media_type, body)).await
    }

    async fn put(&self, key: &str, label: Label<'_>, body: Bytes, sha256: [u8; 32]) -> Result<(), Violation> {
        announced(Effect::PutObject, self.0.put(key, label, body, sha256)).await
    }

    async fn get(&self, key: &str, max_bytes: u64) -> Result<Option<Bytes>, Violation> {
        announced(Effect::GetResult, self.0.get(key, max_bytes)).await
    }

    async fn head(&self, key: &str) -> Result<Option<Head>, Violation> {
        announced(Effect::ProbeStore, self.0.head(key)).await
    }

    async fn delete(&self, key: &str) -> Result<(), Violation> {
        announced(Effect::DeleteObject, self.0.delete(key)).await
    }

    async fn begin(&self, key: &str, label: Label<'_>) -> Result<Box<dyn Multipart>, Violation> {
        let inner = announced(Effect::CreateMultipart, self.0.begin(key, label)).await?;
        Ok(Box::new(AnnouncedUpload(inner)))
    }

    async fn warnings(&self) -> Vec<String> {
        self.0.warnings().await
    }

    fn uri(&self, key: &str) -> String {
        self.0.uri(key)
    }
}

struct AnnouncedUpload(Box<dyn Multipart>);

#[async_trait]
impl Multipart for AnnouncedUpload {
    async fn part(&mut self, body: Bytes) -> Result<(), Violation> {
        announced(Effect::UploadPart, self.0.part(body)).await
    }

    async fn complete(self: Box<Self>) -> Result<(), Violation> {
        announced(Effect::CompleteMultipart, self.0.complete()).await
    }

    async fn abort(self: Box<Self>) {
        announced(Effect::AbortMultipart, self.0.abort()).await;
    }
}

#[async_trait]
impl Queue for Announced<dyn Queue> {
    async fn consume(
        &self,
        classes: &[Class],
        prefetch: u16,
    ) -> Result<UnboundedReceiver<Delivery>, Violation> {
        let mut inner = self.0.consume(classes, prefetch).await?;
        let (deliveries, receiver) = unbounded_channel();
        tokio::spawn(async move {
            while let Some(mut delivery) = inner.recv().await {
                delivery.receipt = Box::new(AnnouncedReceipt(delivery.receipt));
                if deliveries.send(delivery).is_err() {
                    return;
                }
            }
        });
        Ok(receiver)
    }

    async fn stop(&self) {
        self.0.stop().await;
    }

    async fn enqueue(&self, class: &str, message: &Message) -> Result<(), Violation> {
        self.0.enqueue(class, message).await
    }

    async fn enqueue_later(&self, class: &str, message: &Message, rung: usize) -> Result<(), Violation> {
        announced(Effect::PublishRetry, self.0.enqueue_later(class, message, rung)).await
    }

    async fn publish(&self, event: &Event) -> Result<(), Violation> {
        announced(Effect::PublishEvent, self.0.publish(event)).await
    }

    async fn bury(&self, dead: &Dead) -> Result<(), Violation> {
        announced(Effect::PublishDead, self.0.bury(dead)).await
    }

    async fn exhume(&self, limit: usize, keep: Keep<'_>) -> Result<usize, Violation> {
        self.0.exhume(limit, keep).await
    }

    async fn ready(&self, class: &str) -> Result<u64, Violation> {
        self.0.ready(class).await
    }

    async fn reaped(&self) -> Result<u64, Violation> {
        self.0.reaped().await
    }

    fn trouble(&self) -> Option<Trouble> {
        self.0.trouble()
    }

    async fn reconnect(&self) {
        self.0.reconnect().await;
    }
}

#[derive(Debug)]
struct AnnouncedReceipt(Box<dyn Receipt>);

#[async_trait]
impl Receipt for AnnouncedReceipt {
    async fn ack(&self) -> Result<bool, Violation> {
        announced(Effect::Ack, self.0.ack()).await
    }

    async fn requeue(&self) -> Result<bool, Violation> {
        announced(Effect::Requeue, self.0.requeue()).await
    }

    fn holds(&self) -> bool {
        self.0.holds()
    }
}
