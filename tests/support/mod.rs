//! What the integration tests share: runs of the program, foreign programs that judge its
//! files, and the way two pictures are compared.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test takes what it needs, and a helper that fails fails the test"
)]

pub mod broken;
pub mod clipart;
pub mod job;
pub mod judges;
pub mod page;
pub mod picture;
pub mod shop;
pub mod x4;
