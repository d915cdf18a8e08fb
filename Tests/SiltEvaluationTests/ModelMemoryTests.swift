import SiltEvaluation
import TensorTypes
import TestSupport
import Testing

@Suite("Memory of models")
struct ModelMemoryTests {
    private func message(_ shapes: [[Int]], limit: Int) throws -> String? {
        let tensors = try shapes.map { try #require(TensorInfo(dtype: .bf16, shape: $0)) }
        do {
            try ModelMemory.check(tensors, file: "model.silt", limit: limit)
            return nil
        } catch let error {
            #expect(error.code == .usage)
            return error.description
        }
    }

    @Test("is four bytes for each value, whatever the type, and all of it may be taken")
    func limit() throws {
        #expect(try message([[3, 5], [1], []], limit: 68) == nil)
        let found = try #require(try message([[3, 5], [1], []], limit: 67))
        #expect(found.contains("model.silt") && found.contains("take 68 bytes") && found.contains("has 67"))
        #expect(try message([], limit: 0) == nil)
    }

    @Test("is refused where its bytes are more than a number holds")
    func overflow() throws {
        // 8 tensors of 2^58 values: their bytes are too many; of 40 of them the values too.
        for (count, isRefused) in [(7, false), (8, true), (40, true)] {
            let found = try message(Array(repeating: [1 << 29, 1 << 29], count: count), limit: .max)
            #expect(found?.contains("more than") ?? false == isRefused)
        }
    }

    @Test("of this machine suffices for a small model, not for one of 2^57 values")
    func machine() throws {
        try ModelMemory.check([#require(TensorInfo(dtype: .f32, shape: [16, 16]))], file: "small")
        #expect(throws: SiltError.self) {
            try ModelMemory.check([#require(TensorInfo(dtype: .f32, shape: [1 << 28, 1 << 29]))], file: "large")
        }
    }
}
