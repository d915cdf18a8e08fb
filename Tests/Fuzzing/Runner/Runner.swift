import FuzzTargets

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

// What libFuzzer, which brings `main`, calls. Docs/Testing.md says how this is built.

/// The target that the environment variable SILT_FUZZ_TARGET names.
private let target = FuzzTarget.all.first { $0.name == value(of: "SILT_FUZZ_TARGET") }

/// Before the first input: writes the target's seeds into the directory SILT_FUZZ_SEEDS, if it is set.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> CInt {
    guard let target else { fail("name a target: " + FuzzTarget.all.map(\.name).joined(separator: ", ")) }
    guard let directory = value(of: "SILT_FUZZ_SEEDS") else { return 0 }
    for (index, seed) in target.seeds().enumerated() { write(seed, to: "\(directory)/seed-\(index)") }
    return 0
}

/// Runs one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func run(_ bytes: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: size))
    if case .wrong(let reason) = target?.run(input) { fatalError(reason) }
    return 0
}

private func value(of name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }

private func write(_ bytes: [UInt8], to path: String) {
    guard let file = unsafe fopen(path, "wb") else { fail("cannot write \(path)") }
    let written = unsafe fwrite(bytes, 1, bytes.count, file)
    guard unsafe fclose(file) == 0, written == bytes.count else { fail("cannot write \(path)") }
}

private func fail(_ message: String) -> Never {
    print("fuzz: \(message)")
    exit(2)
}
