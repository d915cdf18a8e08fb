package import ByteSources
import Synchronization
package import TensorTypes

/// A source that counts what is read of it and fails as it is told: for tests of whoever reads.
package final class FaultySource: ByteSource {
    /// What goes wrong.
    package enum Fault: Sendable, Hashable {
        case none
        /// Reads give less than they are asked for: 1 byte to all.
        case shortReads(seed: UInt64)
        /// The read of this number, from 0, fails; so do all after it.
        case errorAtRead(Int)
        /// From the read of this number on, one byte in 1,000 has another value, and the version says so.
        case changeAtRead(Int)
        /// From the read of this number on, the content ends at half of its size.
        case shrinkAtRead(Int)
    }

    /// What was read.
    package struct Count: Sendable {
        package var reads = 0
        package var bytes = 0
    }

    private let source: any ByteSource
    private let fault: Fault
    private let counts = Mutex(Count())

    package init(_ source: any ByteSource, _ fault: Fault = .none) { (self.source, self.fault) = (source, fault) }

    package var path: String { source.path }
    package var size: Int { source.size }
    package var version: SourceVersion { source.version }
    /// What was read so far.
    package var count: Count { counts.withLock { $0 } }

    /// Counts from 0 again.
    package func reset() { counts.withLock { $0 = Count() } }

    package func currentVersion() throws(SiltError) -> SourceVersion {
        if case .changeAtRead(let number) = fault, count.reads > number { return SourceVersion(tag: "changed") }
        return try source.currentVersion()
    }

    package func read(upTo buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(SiltError) -> Int {
        let number = counts.withLock { count in
            count.reads += 1
            return count.reads - 1
        }
        var wanted = buffer.count
        switch fault {
        case .shortReads(let seed) where wanted > 1:
            var generator = SeededGenerator(seed: seed &+ UInt64(truncatingIfNeeded: number))
            wanted = 1 + generator.below(wanted)
        case .errorAtRead(let first) where number >= first:
            throw SiltError(.io, "cannot read: the device fails", file: path)
        case .shrinkAtRead(let first) where number >= first:
            wanted = max(0, min(wanted, size / 2 - offset))
            if wanted == 0 { return 0 }
        default: break
        }
        let count = try unsafe source.read(
            upTo: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: offset)
        counts.withLock { $0.bytes += count }
        if case .changeAtRead(let first) = fault, number >= first {
            for index in 0..<count where (offset + index) % 1_000 == 7 { unsafe buffer[index] ^= 0x11 }
        }
        return count
    }
}

extension FileTree {
    /// The tree with every file behind a source that fails.
    package func faulty(_ fault: FaultySource.Fault) throws(SiltError) -> (tree: MemoryTree, sources: [FaultySource]) {
        var sources: [String: any ByteSource] = [:]
        var all: [FaultySource] = []
        for file in files {
            let source = FaultySource(try open(file), fault)
            sources[file] = source
            all.append(source)
        }
        return (MemoryTree(sources, path: path), all)
    }

    /// The tree with all bytes in memory.
    package func inMemory() throws(SiltError) -> MemoryTree {
        var sources: [String: any ByteSource] = [:]
        for file in files {
            let source = try open(file)
            sources[file] = MemorySource(try source.bytes(0..<source.size), path: source.path)
        }
        return MemoryTree(sources, path: path)
    }
}
