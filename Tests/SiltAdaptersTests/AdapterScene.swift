import SceneSupport
@testable import SiltAdapters
import Safetensors
import TensorTypes
import TestSupport
import Testing

/// A directory with a base and an adapter, written field by field as PEFT's files have them.
struct AdapterScene {
    let scene: Scene
    var directory: TemporaryDirectory { scene.directory }

    init() throws { scene = try Scene() }

    /// F32 values 0, 1, 2… times `step`, which no two tensors share.
    static func tensor(
        _ name: String, _ shape: [Int], _ dtype: DType = .f32, step: Float = 0.125
    ) throws -> TestTensor {
        let count = shape.reduce(1, *)
        let values = (0..<count).map { Float($0 % 97) * step - 3 }
        return try TestTensor(name, dtype, shape, patterns(values, dtype))
    }

    /// Little-endian patterns; BF16 by truncation.
    static func patterns(_ values: [Float], _ dtype: DType) -> [UInt8] {
        var bytes: [UInt8] = []
        for value in values {
            switch dtype {
            case .f32: bytes.appendLittleEndian(value.bitPattern)
            case .i32: bytes.appendLittleEndian(Int32(value))
            case .bf16: bytes.appendLittleEndian(UInt16(value.bitPattern >> 16))
            default: bytes.appendLittleEndian(Float16(value).bitPattern)
            }
        }
        return bytes
    }

    static func values(_ bytes: [UInt8]) -> [Float] {
        stride(from: 0, to: bytes.count, by: 4).map { start in
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) })
        }
    }

    /// The factors of a linear module, named as PEFT names them.
    static func pair(_ module: String, input: Int, output: Int, rank: Int, _ dtype: DType = .f32) throws -> [TestTensor]
    {
        [
            try tensor("base_model.model.\(module).lora_A.weight", [rank, input], dtype),
            try tensor("base_model.model.\(module).lora_B.weight", [output, rank], dtype, step: 0.25),
        ]
    }

    func adapter(
        _ fields: String = "", _ tensors: [TestTensor], kind: String = "LORA", r: Int = 2, alpha: Int = 4
    ) throws -> Adapter {
        let text = "{\"peft_type\": \"\(kind)\", \"r\": \(r), \"lora_alpha\": \(alpha), \"bias\": \"none\"\(fields)}"
        return try adapter(config: text, tensors)
    }

    /// `config` is the whole text; a `bias` in `fields` above would come twice.
    func adapter(config: String, _ tensors: [TestTensor]) throws -> Adapter {
        try directory.write(Array(config.utf8), to: "adapter/adapter_config.json")
        try scene.write(tensors, to: "adapter/adapter_model.safetensors")
        return try Adapter(directory: directory("adapter"))
    }

    func base(_ tensors: [TestTensor]) throws -> Checkpoint {
        try scene.write(tensors, to: "base/model.safetensors", metadata: ["format": "pt"])
        try directory.write(Array("{\"model_type\": \"test\"}".utf8), to: "base/config.json")
        return try Checkpoint(base: directory("base"))
    }

    /// `scale * left^T right` by the definition.
    static func product(_ update: LowRankUpdate) throws -> [Float] {
        let (left, right) = (values(try update.left.patterns()), values(try update.right.patterns()))
        let (rows, columns) = (update.left.extent, update.right.extent)
        var result: [Float] = []
        for row in 0..<rows {
            for column in 0..<columns {
                let sum = (0..<update.rank).reduce(Float(0)) {
                    $0 + left[$1 * rows + row] * right[$1 * columns + column]
                }
                result.append(sum * update.scale)
            }
        }
        return result
    }

    /// `scale * B A` of matrices B [m, r] and A [r, n], transposed if asked.
    static func product(
        _ b: TestTensor, _ a: TestTensor, rank: Int, scale: Float, transposed: Bool = false
    ) -> [Float] {
        let (first, second) = (values(b.bytes), values(a.bytes))
        let (rows, columns) = (first.count / rank, second.count / rank)
        let outer = transposed ? columns : rows
        let inner = transposed ? rows : columns
        return (0..<outer).flatMap { i in
            (0..<inner).map { j in
                let (row, column) = transposed ? (j, i) : (i, j)
                return (0..<rank).reduce(Float(0)) {
                    $0 + first[row * rank + $1] * second[$1 * columns + column]
                } * scale
            }
        }
    }
}
