import ByteSources
import Foundation
import Safetensors
import SceneSupport
import SiltFormat
import SiltReading
import TensorTypes
import TestSupport
import Testing

@Suite("Reading a model that exists only as a Silt file over its base")
struct RandomAccessTests {
    @Test("tensors, rows, and 1,000 ranges of every file, through memory", arguments: ModelScene.Method.allCases)
    func memory(method: ModelScene.Method) throws {
        let scene = try ModelScene.of(method)
        let silt = try scene.silt
        let model = try scene.model(scene.base.inMemory(), MemorySource(silt.bytes(0..<silt.size), path: "m.silt"))
        let rebuilt = try Checkpoint(at: scene.scene.directory("back"))
        for tensor in rebuilt.tensors {
            #expect(model.info(of: tensor.name) == tensor.info)
            #expect(try model.tensor(tensor.name) == tensor.bytes(0..<tensor.info.bytes))
            let (rows, width) = (tensor.info.shape[0], tensor.info.bytes / tensor.info.shape[0])
            let some = rows / 3..<max(rows / 3 + 1, rows / 2)
            #expect(
                try model.rows(some, of: tensor.name)
                    == tensor.bytes(some.lowerBound * width..<some.upperBound * width))
        }
        #expect(Set(model.file.fileNames) == Set(scene.files.keys))
        for (name, bytes) in scene.files {
            let file = try model.file(name)
            #expect(file.size == bytes.count)
            for range in ModelScene.ranges(1_000, of: bytes.count, seed: 3) {
                let found = try file.read(range)
                #expect(isEqual(found, bytes, range), "\(name) \(range)")
            }
        }
    }

    @Test("sources that give less than they are asked for change nothing")
    func shortReads() throws {
        let scene = try ModelScene.of(.exact)
        let model = try scene.model(
            scene.base.faulty(.shortReads(seed: 1)).tree, FaultySource(scene.silt, .shortReads(seed: 2)))
        for (name, bytes) in scene.files {
            let file = try model.file(name)
            for range in ModelScene.ranges(60, of: bytes.count, seed: 4) {
                #expect(isEqual(try file.read(range), bytes, range), "\(name) \(range)")
            }
        }
    }

    /// Reads ranges over sources with a fault; whatever is not the right bytes must be an error.
    private func attempt(
        _ scene: ModelScene, base: FaultySource.Fault, silt: FaultySource.Fault
    ) throws -> (right: Int, errors: Set<SiltError.Code>) {
        var (right, errors) = (0, Set<SiltError.Code>())
        func note(_ error: any Error) throws {
            let error = try #require(error as? SiltError, "\(error)")
            #expect(error.file != nil || error.tensor != nil, "\(error)")
            errors.insert(error.code)
        }
        do {
            let model = try scene.model(scene.base.faulty(base).tree, FaultySource(scene.silt, silt))
            for (name, bytes) in scene.files.sorted(by: { $0.key < $1.key }) {
                for range in ModelScene.ranges(40, of: bytes.count, seed: 5).filter({ $0.count < 1 << 20 }) {
                    do {
                        let found = try model.file(name).read(range)
                        #expect(isEqual(found, bytes, range), "\(name) \(range)")
                        right += 1
                    } catch {
                        try note(error)
                    }
                }
            }
        } catch {
            try note(error)
        }
        return (right, errors)
    }

    @Test("a device that fails at any read gives an error, never wrong bytes", arguments: [0, 1, 3, 8, 25])
    func errors(number: Int) throws {
        let scene = try ModelScene.of(.exact)
        let base = try attempt(scene, base: .errorAtRead(number), silt: .none)
        #expect(number > 8 || base.errors == [.io])
        let silt = try attempt(scene, base: .none, silt: .errorAtRead(number))
        #expect(silt.errors == [.io])
        #expect(number < 25 || silt.right > 0)
    }

    @Test(
        "content that changes while it is read gives an error, never wrong bytes", arguments: [0, 3, 9, 30],
        [ModelScene.Method.exact, .random])
    func changes(number: Int, method: ModelScene.Method) throws {
        let scene = try ModelScene.of(method)
        let base = try attempt(scene, base: .changeAtRead(number), silt: .none)
        #expect(!base.errors.isEmpty)
        let silt = try attempt(scene, base: .none, silt: .changeAtRead(number))
        #expect(!silt.errors.isEmpty)
    }

    @Test("content that shrinks while it is read gives an error, never wrong bytes", arguments: [0, 2, 3, 9])
    func shrinks(number: Int) throws {
        let scene = try ModelScene.of(.exact)
        #expect(try !attempt(scene, base: .shrinkAtRead(number), silt: .none).errors.isEmpty)
        #expect(try !attempt(scene, base: .none, silt: .shrinkAtRead(number)).errors.isEmpty)
    }

    @Test("a base with other values is named once a tensor was read whole, and before a chunk is blamed")
    func wrongBase() throws {
        let scene = try ModelScene.of(.exact)
        var files: [String: any ByteSource] = [:]
        for name in try scene.base.files {
            var bytes = try scene.base.open(name).bytes(0..<scene.base.open(name).size)
            if name.hasSuffix(".safetensors") {
                for index in stride(from: 5_000, to: bytes.count, by: 97) { bytes[index] ^= 0x21 }
            }
            files[name] = MemorySource(bytes, path: name)
        }
        let model = try scene.model(MemoryTree(files, path: "base"), scene.silt)
        #expect(code { _ = try model.tensor("a.wide") } == .baseContent)
        #expect(code { _ = try model.rows(0..<400, of: "b.grown") } == .baseContent)
    }

    @Test("what is not there, and ranges beyond the end, are refused")
    func refusals() throws {
        let scene = try ModelScene.of(.exact)
        let model = try scene.model(scene.base, scene.silt)
        #expect(code { _ = try model.tensor("none") } == .noMatch)
        #expect(code { _ = try model.file("none") } == .noMatch)
        #expect(code { _ = try model.rows(0..<2_101, of: "a.wide") } == .usage)
        let file = try model.file("extra.bin")
        #expect(code { _ = try file.read(0..<file.size + 1) } == .usage)
        #expect(try file.read(file.size..<file.size).isEmpty)
    }

    @Test("a model over a rebuilt model, as a chain has it")
    func chain() throws {
        let scene = try ModelScene.of(.random)
        let directory = scene.scene.directory
        try scene.scene.pack("back", "result", to: "second.silt")
        try scene.scene.unpack("back", "second.silt", to: "last")
        let model = try SiltFile(at: directory("second.silt")).over(scene.model(scene.base, scene.silt))
        for name in model.file.fileNames {
            let bytes = try #require(directory.read("last/" + name))
            for range in ModelScene.ranges(50, of: bytes.count, seed: 6) {
                #expect(isEqual(try model.file(name).read(range), bytes, range), "\(name) \(range)")
            }
        }
    }
}

/// Whether `found` is the part `range` of `bytes`; the standard library's comparison takes its time in a debug build.
private func isEqual(_ found: [UInt8], _ bytes: [UInt8], _ range: Range<Int>) -> Bool {
    guard found.count == range.count, range.upperBound <= bytes.count else { return false }
    return unsafe found.withUnsafeBytes { left in
        unsafe bytes.withUnsafeBytes { right in
            guard let start = left.baseAddress, let other = right.baseAddress else { return true }
            return unsafe memcmp(start, other + range.lowerBound, left.count) == 0
        }
    }
}
