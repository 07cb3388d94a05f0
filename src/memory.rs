//! How the system's allocator is told to give memory back.
//!
//! A page's pixels are a few large blocks that live for a moment. The GNU allocator raises its
//! limit for mapping blocks directly to the largest one it has seen freed, and from then on cuts
//! such blocks from heaps that fragment: sixty pages then cost a third more than the dearest of
//! them. With fixed limits they cost the same. The limits are high enough that a picture's rows
//! are cut from memory that was there already: mapping each, and clearing its pages, took a sixth
//! of the processor time of the fixtures.
//!
//! Threads beyond the first are given heaps of their own, eight for each processor, and each keeps what it once
//! needed. With as many heaps as processors, or as `PRESSWORK_CPU_THREADS` says, a worker's memory stands still: `benches/RESULTS.md` has the figures.
//!
//! A heap's free memory stays with the process but for its end. A worker gives it back now and then, so that
//! an hour's largest order, or two that happened to meet, is not what it takes for the rest of its life.
//!
//! A decoded picture is tens of megabytes that are written once, from one end to the other. In huge
//! pages it costs about a seventh of what small ones cost the kernel.

#![allow(
    unsafe_code,
    reason = "mallopt, malloc_trim and madvise are C functions; see the proofs at their calls"
)]

/// Blocks from this size on are mapped, and given back, one by one.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAPPED_FROM: libc::c_int = 8 << 20;

/// So much free memory is kept at the end of a heap.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT: libc::c_int = 16 << 20;

/// Fixes the allocator's limits. Call it once, before any thread is started. `threads`: how many shall paint,
/// where that is said; a container without a limit sees every processor of its node.
pub fn give_back(threads: Option<usize>) {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let heaps = threads.filter(|threads| (1..processors).contains(threads)).unwrap_or(processors);
        let heaps = libc::c_int::try_from(heaps).unwrap_or(libc::c_int::MAX);
        // SAFETY: mallopt takes two integers, keeps no pointer, and is documented to be called before
        // other threads allocate, which `main` does first of all; called later it takes the allocator's
        // lock. A value it does not like changes nothing.
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, heaps);
            libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_FROM);
            libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
        }
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    let _unused = threads;
}

/// Gives back what the heaps hold and nobody uses. It takes milliseconds, and what is needed again is
/// asked of the system again: once a minute is often.
pub fn tidy() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim takes an integer, keeps no pointer, locks each heap while it looks at it, and gives
    // the system only whole pages that no block in use touches.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Bytes of a huge page on the processors that matter. Where it is another, the kernel rounds.
#[cfg(target_os = "linux")]
const HUGE: usize = 2 << 20;

/// A large block that is about to be filled may lie in huge pages. What it holds does not change.
pub fn filled_soon(block: &mut [u8]) {
    #[cfg(target_os = "linux")]
    {
        let skipped = block.as_ptr().align_offset(HUGE);
        let whole = block.len().saturating_sub(skipped) / HUGE * HUGE;
        if whole > 0 {
            // SAFETY: the range lies within the block, which is borrowed alone and mapped as long. This
            // advice changes how the kernel backs the range and never what it holds; where the
            // kernel knows no huge pages it answers with an error, and nothing has changed.
            unsafe {
                libc::madvise(block.as_mut_ptr().add(skipped).cast(), whole, libc::MADV_HUGEPAGE);
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _unused = block;
}
