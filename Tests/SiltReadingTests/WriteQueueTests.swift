@testable import SiltReading
@testable import Workers
import Foundation
import ByteSources
import TensorTypes
import TestSupport
import Testing

@Suite("Writing what was rebuilt")
struct WriteQueueTests {
    /// Writes 500 pieces of 1,000 bytes, each of one value, in the pool, as unpacking does.
    private func write(_ file: OutputFile, threads: Int) throws {
        let queue = WriteQueue(threads: threads)
        try WorkerPool(threads: threads, cancellation: Cancellation()).run(
            count: 500, makeWorker: { DecodeWorker() },
            work: { (worker, index) throws(SiltError) in
                worker.result.reserve(1_000)
                unsafe worker.result.prefix(1_000).initializeMemory(as: UInt8.self, repeating: UInt8(index % 251))
                try queue.write(1_000, of: worker, to: file, at: 1_000 * index)
            })
    }

    @Test("every piece is where it belongs", arguments: [1, 2, 8])
    func pieces(threads: Int) throws {
        let folder = try TemporaryDirectory()
        let path = folder.path + "/out"
        let file = try OutputFile(creating: path)
        try write(file, threads: threads)
        let expected = (0..<500).flatMap { [UInt8](repeating: UInt8($0 % 251), count: 1_000) }
        let isEqual = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path))) == expected
        #expect(isEqual)
    }

    @Test("a write that fails ends the work", arguments: [1, 4])
    func failure(threads: Int) throws {
        let folder = try TemporaryDirectory()
        let file = try OutputFile(creating: folder.path + "/out")
        file.close()
        #expect { try write(file, threads: threads) } throws: { ($0 as? SiltError)?.code == .io }
    }
}
