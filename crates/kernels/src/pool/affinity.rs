//! Which logical processors a thread may run on.
//!
//! A wish, never a need: it is used on processors whose cores differ, to keep the threads of one job on the fast ones.

/// Keeps the calling thread on `cpus`, numbered as the system numbers them; whether the system did so.
pub(super) fn bind_current_thread(cpus: &[usize]) -> bool {
    !cpus.is_empty() && bind(cpus)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn bind(cpus: &[usize]) -> bool {
    use rustix::thread::{CpuSet, sched_setaffinity};
    let mut set = CpuSet::new();
    for &cpu in cpus.iter().filter(|cpu| **cpu < CpuSet::MAX_CPU) {
        set.set(cpu);
    }
    sched_setaffinity(None, &set).is_ok()
}

#[cfg(windows)]
fn bind(cpus: &[usize]) -> bool {
    use windows::Win32::System::Threading::{GetCurrentThread, SetThreadAffinityMask};
    // Laptops have one group of at most 64 logical processors; in larger machines all cores are alike.
    if cpus.iter().any(|cpu| *cpu >= usize::BITS as usize) {
        return false;
    }
    let mask = cpus.iter().fold(0, |mask, cpu| mask | 1_usize << cpu);
    // SAFETY: the handle is the calling thread's own pseudo handle, which is always valid and needs no closing; the mask is
    // passed by value.
    unsafe { SetThreadAffinityMask(GetCurrentThread(), mask) != 0 }
}

#[cfg(not(any(target_os = "linux", target_os = "android", windows)))]
fn bind(_cpus: &[usize]) -> bool {
    false
}
