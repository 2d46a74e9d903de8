//! Windows' list of graphics adapters.

#![expect(unsafe_code, reason = "Windows' graphics interfaces are C++ objects; this module is their only home")]

use windows::{
    Win32::Graphics::{
        Direct3D::D3D_FEATURE_LEVEL_11_0,
        Direct3D12::{D3D12_FEATURE_ARCHITECTURE, D3D12_FEATURE_DATA_ARCHITECTURE, D3D12CreateDevice, ID3D12Device},
        Dxgi::{
            CreateDXGIFactory1, DXGI_ADAPTER_DESC1, DXGI_ADAPTER_FLAG_REMOTE, DXGI_ADAPTER_FLAG_SOFTWARE,
            DXGI_ERROR_NOT_FOUND, DXGI_MEMORY_SEGMENT_GROUP_LOCAL, DXGI_QUERY_VIDEO_MEMORY_INFO, IDXGIAdapter1,
            IDXGIAdapter3, IDXGIDevice, IDXGIFactory1,
        },
    },
    core::Interface,
};

use super::{Gpu, GpuKind, GpuMemory, Source, Vendor, pci_id};

/// All adapters that are hardware of this computer.
pub(super) fn cards() -> Result<Vec<Gpu>, String> {
    // SAFETY: takes no pointer from here; the object it returns is counted.
    let factory: IDXGIFactory1 =
        unsafe { CreateDXGIFactory1() }.map_err(|error| format!("DXGI did not start: {error}"))?;
    let mut cards = Vec::new();
    for idx in 0.. {
        // SAFETY: `factory` is alive; a number beyond the last is answered with an error.
        let adapter = match unsafe { factory.EnumAdapters1(idx) } {
            Ok(adapter) => adapter,
            Err(error) if error.code() == DXGI_ERROR_NOT_FOUND => break,
            Err(error) => return Err(format!("DXGI did not list its adapters: {error}")),
        };
        cards.extend(card(&adapter));
    }
    Ok(cards)
}

fn card(adapter: &IDXGIAdapter1) -> Option<Gpu> {
    // SAFETY: `adapter` is alive, and the description is returned by value.
    let about = unsafe { adapter.GetDesc1() }.ok()?;
    let unreal = (DXGI_ADAPTER_FLAG_SOFTWARE.0 | DXGI_ADAPTER_FLAG_REMOTE.0) as u32;
    // Microsoft's Basic Render Driver does not carry the flag on every Windows.
    if about.Flags & unreal != 0 || (about.VendorId == 0x1414 && about.DeviceId == 0x8c) {
        return None;
    }
    let vendor = Vendor::from_pci(about.VendorId);
    // NVIDIA's cards have memory of their own, and the question below can take long to wake a sleeping one.
    let shares = if vendor == Vendor::Nvidia { Some(false) } else { shares_main_memory(adapter) };
    let (kind, memory) = match shares {
        Some(true) => (GpuKind::Integrated, GpuMemory::Unified { working_set: None }),
        Some(false) => (GpuKind::Discrete, own_memory(adapter, &about)),
        None => (GpuKind::Unknown, GpuMemory::Unknown),
    };
    let name = String::from_utf16_lossy(&about.Description);
    // SAFETY: `adapter` is alive; the id is a constant of the library.
    let driver = unsafe { adapter.CheckInterfaceSupport(&IDXGIDevice::IID) };
    Some(Gpu {
        name: name.trim_end_matches('\0').to_owned(),
        vendor,
        kind,
        pci_id: Some(pci_id(about.VendorId, about.DeviceId)),
        pci_bus: None,
        driver: driver.ok().map(driver_version),
        memory,
        compute_capability: None,
        source: Source::Dxgi,
    })
}

/// Whether the adapter computes in main memory. DXGI itself does not tell a card's memory from main memory that the
/// firmware set aside; none for adapters too old to be asked.
fn shares_main_memory(adapter: &IDXGIAdapter1) -> Option<bool> {
    let mut device: Option<ID3D12Device> = None;
    // SAFETY: `adapter` is alive; `device` takes the counted object, or stays empty.
    unsafe { D3D12CreateDevice(adapter, D3D_FEATURE_LEVEL_11_0, &mut device) }.ok()?;
    let mut about = D3D12_FEATURE_DATA_ARCHITECTURE::default();
    // SAFETY: the pointer and the size are those of `about`, which is what this feature asks for, and outlive the call.
    let answer = unsafe {
        device?.CheckFeatureSupport(
            D3D12_FEATURE_ARCHITECTURE,
            (&raw mut about).cast(),
            size_of::<D3D12_FEATURE_DATA_ARCHITECTURE>() as u32,
        )
    };
    answer.ok().map(|()| about.UMA.as_bool())
}

/// Memory of a card, and what Windows would let a new program have of it now.
fn own_memory(adapter: &IDXGIAdapter1, about: &DXGI_ADAPTER_DESC1) -> GpuMemory {
    let total = about.DedicatedVideoMemory as u64;
    if total == 0 {
        return GpuMemory::Unknown;
    }
    let budget = adapter.cast::<IDXGIAdapter3>().and_then(|adapter| {
        let mut info = DXGI_QUERY_VIDEO_MEMORY_INFO::default();
        // SAFETY: `adapter` is alive, and `info` outlives the call that fills it in.
        unsafe { adapter.QueryVideoMemoryInfo(0, DXGI_MEMORY_SEGMENT_GROUP_LOCAL, &mut info) }.map(|()| info)
    });
    let free = budget.ok().map(|info| info.Budget.saturating_sub(info.CurrentUsage).min(total));
    GpuMemory::Dedicated { total, free }
}

/// Four numbers of 16 bits, as Windows shows them.
fn driver_version(version: i64) -> String {
    let part = |idx: u32| (version >> (16 * idx)) & 0xffff;
    format!("{}.{}.{}.{}", part(3), part(2), part(1), part(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn driver_versions_read_as_windows_shows_them() {
        assert_eq!(driver_version(0x001f_0000_000f_1642), "31.0.15.5698");
    }

    #[test]
    #[ignore = "needs Windows with a display: without one DXGI does not start"]
    fn listing_the_adapters_of_this_computer_works() {
        let cards = cards().expect("Windows answers");
        assert!(cards.iter().all(|card| card.source == Source::Dxgi && !card.name.is_empty()), "{cards:?}");
    }
}
