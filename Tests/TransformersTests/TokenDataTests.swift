import Safetensors
import TensorTypes
import TestSupport
import Testing
import Transformers

@Suite("Data sets")
struct TokenDataTests {
    private func bytes<Word: FixedWidthInteger>(_ words: [Word]) -> [UInt8] {
        words.flatMap { word in (0..<Word.bitWidth / 8).map { UInt8(truncatingIfNeeded: word >> Word($0 * 8)) } }
    }

    private typealias Tensor = (name: String, info: TensorInfo, bytes: [UInt8])

    private func tensor(_ name: String, _ dtype: DType, _ shape: [Int], _ bytes: [UInt8]) throws -> Tensor {
        (name, try #require(TensorInfo(dtype: dtype, shape: shape)), bytes)
    }

    private func read(_ tensors: [Tensor]) throws -> TokenData {
        let directory = try TemporaryDirectory()
        try SafetensorsWriter.write(tensors, to: directory("data.safetensors"))
        return try TokenData(reading: directory("data.safetensors"))
    }

    private let ids: [Int64] = [2, 9, 3, 0, 2, 7, 8, 3]

    @Test("are read with every type of integer", arguments: [true, false])
    func reading(isWide: Bool) throws {
        let data = try read([
            tensor(
                "input_ids", isWide ? .i64 : .i32, [2, 4], isWide ? bytes(ids) : bytes(ids.map { Int32($0) })),
            tensor(
                "attention_mask", isWide ? .bool : .i16, [2, 4],
                isWide
                    ? [1, 1, 1, 0, 1, 1, 1, 1]
                    : bytes([Int16](arrayLiteral: 1, 1, 1, 0, 1, 1, 1, 1))),
            tensor("labels", isWide ? .i64 : .u8, [2], isWide ? bytes([Int64](arrayLiteral: 1, 0)) : [1, 0]),
        ])
        #expect(data.count == 2 && data.tokens == 7 && data.length == 4)
        #expect(data.labels == .classes([1, 0]))
        #expect(data.prefix(1).tokens == 3 && data.prefix(1).labels == .classes([1]) && data.prefix(9).count == 2)
    }

    @Test("have values as labels where these are floats")
    func values() throws {
        let data = try read([
            tensor("input_ids", .i64, [2, 4], bytes(ids)),
            tensor("labels", .f32, [2], bytes([Float(1.5).bitPattern, Float(-2).bitPattern])),
        ])
        #expect(data.labels == .values([1.5, -2]) && data.labels?.numbers == [1.5, -2])
        #expect(data.tokens == 8)
    }

    @Test("of other shapes and types are refused, with the tensor's name")
    func refusals() throws {
        let good = try tensor("input_ids", .i64, [2, 4], bytes(ids))
        let cases: [(name: String, tensors: [Tensor])] = try [
            ("", []),
            ("input_ids", [tensor("input_ids", .i64, [8], bytes(ids))]),
            ("input_ids", [tensor("input_ids", .f32, [1, 1], [0, 0, 0, 0])]),
            ("input_ids", [tensor("input_ids", .i64, [1, 1], bytes([Int64(1) << 40]))]),
            ("attention_mask", [good, tensor("attention_mask", .u8, [4, 2], Array(repeating: 1, count: 8))]),
            ("labels", [good, tensor("labels", .i32, [3], Array(repeating: 0, count: 12))]),
            ("", [tensor("input_ids", .i64, [0, 4], [])]),
            ("", [good, tensor("attention_mask", .u8, [2, 4], [1, 1, 1, 1, 0, 0, 0, 0])]),
        ]
        for (name, tensors) in cases {
            let error = try #require(failure { _ = try read(tensors) }, "\(name) \(tensors.count)")
            #expect(error.code == .usage && (error.tensor ?? "") == name, "\(error)")
        }
    }

    @Test("are grouped in order, without padding")
    func batches() throws {
        let model = try Models.load("Tests/Data/small-foods")
        let data = try Models.data(Models.reviews)
        for tokens in [1, 43, 100, 1_000] {
            let batches = try data.batches(tokens: tokens, for: model)
            #expect(batches.flatMap(\.ids) == Models.reviews.flatMap { $0 })
            #expect(batches.flatMap { Array($0.examples) } == [0, 1, 2, 3])
            #expect(batches.allSatisfy { $0.tokens <= tokens || $0.sequences == 1 })
        }
        #expect(try data.batches(tokens: 43, for: model).map(\.sequences) == [2, 1, 1])
    }

    @Test("padded on the left keep their positions, and classifiers of decoders read the last token that is no padding")
    func leftPadding() throws {
        let model = try Models.load("Tests/Data/peers/llama-embeddings/base")
        let data = try TokenData(
            ids: [0, 0, 5, 6, 7, 8, 9, 0], mask: [false, false] + Array(repeating: true, count: 6), length: 4)
        let batch = try #require(data.batches(tokens: 64, for: model).first)
        #expect(batch.positions == [2, 3, 0, 1, 2, 3] && batch.offsets == [0, 2, 6] && batch.positionEnd == 4)
        #expect(batch.pooled == [1, 5])
    }

    @Test("that a model cannot run are refused")
    func checks() throws {
        let model = try Models.load("Tests/Data/small-foods")
        func message(_ data: TokenData) -> String? { failure { try data.check(for: model) }?.message }
        #expect(message(try Models.data(Models.reviews, labels: .classes([0, 1, 1, 0]))) == nil)
        #expect(message(try Models.data([[2, 4_096, 3]]))?.contains("4096") == true)
        #expect(message(try Models.data([[2, -1, 3]]))?.contains("-1") == true)
        #expect(message(try Models.data([Array(repeating: 5, count: 5_000)]))?.contains("5000") == true)
        #expect(message(try Models.data([[2, 3]], labels: .classes([2])))?.contains("label 2") == true)
        #expect(message(try Models.data([[2, 3]], labels: .values([2])))?.contains("classifier") == true)
        #expect(message(try TokenData(ids: [2, 3], types: [0, 2], length: 2))?.contains("type 2") == true)
        #expect(message(try TokenData(ids: [2, 3], mask: [false, true], length: 2))?.contains("padding") == true)
        // Padding may have any id.
        #expect(message(try TokenData(ids: [2, -7], mask: [true, false], length: 2)) == nil)
    }
}
