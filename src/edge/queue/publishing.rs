//! How messages are published: one at a time on a channel, and never a second copy beside the first.
//!
//! The broker returns what no queue takes, and then confirms it like anything else. The client hands a
//! returned message to whichever confirm of its channel comes next, so the two belong together only where
//! nothing else is under way on the channel. Each publication has a channel of its own while it lasts.

use super::amqp::{Live, Shared};
use super::topology::refusal;
use super::{refused, unavailable};
use crate::error::Violation;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionState, ErrorKind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Publications of one connection that are under way at once.
const CHANNELS: usize = 16;
/// What the protocol allows of a name, in bytes.
const LONGEST_NAME: usize = 255;

/// A connection's channels for publishing, opened when they are needed.
#[derive(Debug)]
pub(super) struct Publishers {
    idle: Mutex<Vec<Channel>>,
    places: Semaphore,
    /// When exchanges and queues were last declared.
    declared: tokio::sync::Mutex<Instant>,
}

/// A message and where it goes.
#[derive(Debug)]
pub(super) struct Publication<'a> {
    pub(super) exchange: &'a str,
    pub(super) key: &'a str,
    pub(super) body: &'a [u8],
    pub(super) properties: BasicProperties,
}

impl Publishers {
    /// Of a connection whose exchanges and queues have just been declared.
    pub(super) fn new() -> Publishers {
        Publishers {
            idle: Mutex::new(Vec::new()),
            places: Semaphore::new(CHANNELS),
            declared: tokio::sync::Mutex::new(Instant::now()),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Channel>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn channel(&self, connection: &Connection) -> Result<Channel, lapin::Error> {
        loop {
            let idle = self.idle().pop();
            match idle {
                Some(channel) if channel.status().connected() => return Ok(channel),
                // The broker closed it while nobody looked.
                Some(_) => {}
                None => break,
            }
        }
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(channel)
    }

    async fn send(
        &self,
        connection: &Connection,
        publication: Publication<'_>,
    ) -> Result<Confirmation, lapin::Error> {
        // It is never closed.
        let _place = self.places.acquire().await;
        let channel = self.channel(connection).await?;
        let Publication { exchange, key, body, properties } = publication;
        let options = BasicPublishOptions { mandatory: true, ..Default::default() };
        let sent = channel.basic_publish(short(exchange), short(key), options, body, properties).await?;
        let confirmation = sent.await?;
        // One whose publication was given up unanswered is not used again.
        self.idle().push(channel);
        Ok(confirmation)
    }
}

/// Publishes, and waits for the answer as long as the connection lasts. A broker that blocks its publishers
/// finds the message in line when it reads on; whoever sent it again would have sent it twice.
pub(super) async fn publish(
    shared: &Shared,
    live: &Live,
    publication: Publication<'_>,
) -> Result<(), Violation> {
    let count = |outcome| shared.metrics.confirms.with_label_values(&[outcome]).inc();
    let begin = Instant::now();
    let answering = async {
        tokio::select! {
            biased;
            answer = live.publishers.send(&live.connection, publication) => answer,
            () = live.gone() => Err(ErrorKind::InvalidConnectionState(ConnectionState::Closed).into()),
        }
    };
    tokio::pin!(answering);
    let answer = match timeout(shared.settings.patience, &mut answering).await {
        Ok(answer) => answer,
        Err(_) => {
            count("timeout");
            tracing::warn!("a message is not confirmed in time: it stays in line while its connection lasts");
            answering.await
        }
    };
    match answer {
        Ok(Confirmation::Ack(None)) => {
            count("ack");
            Ok(())
        }
        Ok(Confirmation::Ack(Some(_))) => {
            count("returned");
            declare_again(shared, live, begin).await;
            Err(refused("no queue takes this message"))
        }
        Ok(Confirmation::Nack(_) | Confirmation::NotRequested) => {
            count("nack");
            Err(unavailable("a message was refused"))
        }
        Err(error) => {
            tracing::warn!(%error, "publishing failed");
            count("nack");
            // Another connection would hear the same, and hand out again what this one has.
            if let Some((_, said)) = refusal(&error).filter(|_| live.holds()) {
                declare_again(shared, live, begin).await;
                return Err(refused(said));
            }
            live.broken.notify_one();
            Err(unavailable("the connection was lost"))
        }
    }
}

/// A message came back that was sent at `since`: somebody may have deleted its queue. Many that come back at
/// once have it declared once.
async fn declare_again(shared: &Shared, live: &Live, since: Instant) {
    let mut declared = live.publishers.declared.lock().await;
    if *declared > since {
        return;
    }
    let declaring = async {
        let channel = live.connection.create_channel().await?;
        shared.declare(&channel).await?;
        channel.close(200, "".into()).await
    };
    match timeout(shared.settings.patience, declaring).await {
        Ok(Ok(())) => *declared = Instant::now(),
        Ok(Err(error)) => tracing::warn!(%error, "the queues cannot be declared again"),
        Err(_) => tracing::warn!("the queues cannot be declared again in time"),
    }
}

/// A name as the protocol writes it. One that is too long is cut, as names from outside may be: no queue has
/// such a name, and the broker says so.
pub(super) fn short(text: &str) -> ShortString {
    let end = text.floor_char_boundary(LONGEST_NAME);
    ShortString::from(text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_too_long() {
        for (text, bytes) in [("presswork", 9), (&"a".repeat(300), 255), (&"ä".repeat(200), 254)] {
            assert_eq!(short(text).as_str().len(), bytes);
        }
    }
}
