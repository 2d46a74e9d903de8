//! Cards of any maker, as their Vulkan drivers report them.

#![expect(unsafe_code, reason = "Vulkan is a C interface; this module is its only home")]

use ash::{Entry, Instance, vk};

use super::{Gpu, GpuKind, GpuMemory, Source, Vendor, pci_id};

/// One device as its driver describes it, software renderers included.
#[derive(Debug, Clone)]
struct Device {
    name: String,
    vendor: u32,
    device: u32,
    kind: vk::PhysicalDeviceType,
    /// Place on the PCI bus, where the driver tells.
    bus: Option<String>,
    driver: Option<String>,
    /// Bytes of the largest heap that is local to the device.
    local: Option<u64>,
    /// How much of that heap a new program could have, where the driver tells.
    local_free: Option<u64>,
}

/// All cards; none where no Vulkan loader is installed. Software renderers are not cards.
pub(super) fn cards() -> Result<Vec<Gpu>, String> {
    Ok(devices()?.into_iter().filter_map(card).collect())
}

fn card(device: Device) -> Option<Gpu> {
    let (kind, memory) = match device.kind {
        vk::PhysicalDeviceType::CPU => return None,
        vk::PhysicalDeviceType::INTEGRATED_GPU => (GpuKind::Integrated, GpuMemory::Unified { working_set: None }),
        vk::PhysicalDeviceType::DISCRETE_GPU => {
            let memory = device.local.map_or(GpuMemory::Unknown, |total| GpuMemory::Dedicated {
                total,
                free: device.local_free.map(|free| free.min(total)),
            });
            (GpuKind::Discrete, memory)
        }
        vk::PhysicalDeviceType::VIRTUAL_GPU => (GpuKind::Virtual, GpuMemory::Unknown),
        _ => (GpuKind::Unknown, GpuMemory::Unknown),
    };
    // Numbers above those of PCI are Khronos's own, for makers whose chips are on no bus.
    let on_pci = device.vendor <= 0xffff;
    Some(Gpu {
        name: device.name,
        vendor: Vendor::from_pci(device.vendor),
        kind,
        pci_id: on_pci.then(|| pci_id(device.vendor, device.device)),
        pci_bus: device.bus,
        driver: device.driver,
        memory,
        compute_capability: None,
        source: Source::Vulkan,
    })
}

/// Everything that any installed driver offers.
fn devices() -> Result<Vec<Device>, String> {
    // SAFETY: loading runs the initialisers of the system's Vulkan loader. It stays loaded while `entry` lives, which is
    // longer than anything made from it; a loader or driver that breaks its contract ends this process only.
    let Ok(entry) = (unsafe { Entry::load() }) else { return Ok(Vec::new()) };
    // SAFETY: `entry` is loaded.
    let version = unsafe { entry.try_enumerate_instance_version() };
    match version {
        Ok(Some(version)) if version >= vk::API_VERSION_1_1 => {}
        _ => return Err("the Vulkan loader is older than version 1.1".to_owned()),
    }
    let app = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_1);
    let create = vk::InstanceCreateInfo::default().application_info(&app);
    // SAFETY: `create` and what it points to live until the call returns, and it names no layer and no extension.
    let instance = match unsafe { entry.create_instance(&create, None) } {
        Ok(instance) => instance,
        // The loader found no driver at all.
        Err(vk::Result::ERROR_INCOMPATIBLE_DRIVER) => return Ok(Vec::new()),
        Err(error) => return Err(format!("Vulkan did not start: {error}")),
    };
    // SAFETY: `instance` is alive until it is destroyed below, after the last use of what came from it.
    let handles = unsafe { instance.enumerate_physical_devices() };
    let devices = handles
        .map(|handles| handles.into_iter().map(|handle| describe(&instance, handle)).collect())
        .map_err(|error| format!("Vulkan did not list its devices: {error}"));
    // SAFETY: nothing made from `instance` is in use any more.
    unsafe { instance.destroy_instance(None) };
    devices
}

/// Asks for everything about one device of a living `instance`.
fn describe(instance: &Instance, handle: vk::PhysicalDevice) -> Device {
    // SAFETY: `handle` comes from `instance`, which is alive.
    let basic = unsafe { instance.get_physical_device_properties(handle) };
    // SAFETY: as above.
    let extensions = unsafe { instance.enumerate_device_extension_properties(handle) }.unwrap_or_default();
    // The questions with more than one part came with version 1.1.
    let can_extend = basic.api_version >= vk::API_VERSION_1_1;
    let has = |name| can_extend && extensions.iter().any(|known| known.extension_name_as_c_str() == Ok(name));
    let has_bus = has(ash::ext::pci_bus_info::NAME);
    let has_budget = has(ash::ext::memory_budget::NAME);
    let has_driver = has(ash::khr::driver_properties::NAME) || basic.api_version >= vk::API_VERSION_1_2;

    let mut bus = vk::PhysicalDevicePCIBusInfoPropertiesEXT::default();
    let mut driver = vk::PhysicalDeviceDriverProperties::default();
    if can_extend {
        let mut properties = vk::PhysicalDeviceProperties2::default();
        if has_bus {
            properties = properties.push_next(&mut bus);
        }
        if has_driver {
            properties = properties.push_next(&mut driver);
        }
        // SAFETY: `handle` is of `instance`; the device has version 1.1, and each part of the chain is one that it
        // supports, initialised with its type, and outlives the call.
        unsafe { instance.get_physical_device_properties2(handle, &mut properties) };
    }

    let mut budget = vk::PhysicalDeviceMemoryBudgetPropertiesEXT::default();
    let memory = if has_budget {
        let mut memory = vk::PhysicalDeviceMemoryProperties2::default().push_next(&mut budget);
        // SAFETY: as above.
        unsafe { instance.get_physical_device_memory_properties2(handle, &mut memory) };
        memory.memory_properties
    } else {
        // SAFETY: `handle` comes from `instance`, which is alive.
        unsafe { instance.get_physical_device_memory_properties(handle) }
    };
    // Some drivers list a window into the memory as a second local heap, others the rest of it: the largest alone never
    // claims more than there is.
    let largest = memory
        .memory_heaps_as_slice()
        .iter()
        .enumerate()
        .filter(|(_, heap)| heap.flags.contains(vk::MemoryHeapFlags::DEVICE_LOCAL))
        .max_by_key(|(_, heap)| heap.size);

    let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    let driver = driver.driver_name_as_c_str().ok().map(text).zip(driver.driver_info_as_c_str().ok().map(text));
    Device {
        name: basic.device_name_as_c_str().map(text).unwrap_or_default(),
        vendor: basic.vendor_id,
        device: basic.device_id,
        kind: basic.device_type,
        bus: has_bus.then(|| {
            format!("{:04x}:{:02x}:{:02x}.{:x}", bus.pci_domain, bus.pci_bus, bus.pci_device, bus.pci_function)
        }),
        driver: driver.filter(|_| has_driver).map(|(name, info)| format!("{name} {info}").trim().to_owned()),
        local: largest.map(|(_, heap)| heap.size),
        local_free: largest
            .filter(|_| has_budget)
            .map(|(idx, _)| budget.heap_budget[idx].saturating_sub(budget.heap_usage[idx])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(kind: vk::PhysicalDeviceType) -> Device {
        Device {
            name: "a card".to_owned(),
            vendor: 0x1002,
            device: 0x73ff,
            kind,
            bus: Some("0000:03:00.0".to_owned()),
            driver: Some("radv Mesa 25.0".to_owned()),
            local: Some(8000),
            local_free: Some(7000),
        }
    }

    #[test]
    fn only_a_card_of_its_own_has_memory_of_its_own() {
        let memory = |kind| card(device(kind)).map(|gpu| (gpu.kind, gpu.memory));
        assert_eq!(
            memory(vk::PhysicalDeviceType::DISCRETE_GPU),
            Some((GpuKind::Discrete, GpuMemory::Dedicated { total: 8000, free: Some(7000) }))
        );
        assert_eq!(
            memory(vk::PhysicalDeviceType::INTEGRATED_GPU),
            Some((GpuKind::Integrated, GpuMemory::Unified { working_set: None }))
        );
        assert_eq!(memory(vk::PhysicalDeviceType::VIRTUAL_GPU), Some((GpuKind::Virtual, GpuMemory::Unknown)));
        assert_eq!(memory(vk::PhysicalDeviceType::OTHER), Some((GpuKind::Unknown, GpuMemory::Unknown)));
        assert_eq!(memory(vk::PhysicalDeviceType::CPU), None);
    }

    #[test]
    fn a_driver_that_promises_more_than_the_card_has_is_not_believed() {
        let boasting = Device { local_free: Some(9000), ..device(vk::PhysicalDeviceType::DISCRETE_GPU) };
        let memory = card(boasting).map(|gpu| gpu.memory);
        assert_eq!(memory, Some(GpuMemory::Dedicated { total: 8000, free: Some(8000) }));
        let silent = Device { local: None, ..device(vk::PhysicalDeviceType::DISCRETE_GPU) };
        assert_eq!(card(silent).map(|gpu| gpu.memory), Some(GpuMemory::Unknown));
    }

    #[test]
    fn a_chip_that_is_on_no_bus_has_no_pci_id() {
        // Mesa's number at Khronos.
        let chip = Device { vendor: 0x1_0005, bus: None, ..device(vk::PhysicalDeviceType::INTEGRATED_GPU) };
        let gpu = card(chip).expect("a card");
        assert_eq!((gpu.pci_id, gpu.vendor), (None, Vendor::Other));
    }

    /// Run by hand where Mesa's software renderer is installed: `cargo test -p hardware -- --ignored lavapipe`.
    #[test]
    #[ignore = "needs Mesa's lavapipe, a Vulkan driver that computes on the processor"]
    fn lavapipe_is_seen_and_dropped() {
        let seen = devices().expect("Vulkan answers");
        println!("{seen:#?}");
        assert!(seen.iter().any(|device| device.kind == vk::PhysicalDeviceType::CPU), "{seen:?}");
        let cards = cards().expect("Vulkan answers");
        assert!(cards.iter().all(|gpu| !gpu.name.starts_with("llvmpipe")), "{cards:?}");
    }
}
