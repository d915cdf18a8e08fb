internal import SystemCalls

/// The machine's memory.
package enum Memory {
    /// Bytes of it; the largest number where the system does not say.
    package static var physicalBytes: Int { System.physicalMemory ?? .max }
}
