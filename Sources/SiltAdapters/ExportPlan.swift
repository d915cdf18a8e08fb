internal import DeltaCodecs
internal import Safetensors
package import SiltFormat
internal import ByteSources
internal import TensorTypes

/// What an exported adapter consists of.
struct ExportPlan {
    private(set) var config = ""
    private(set) var tensors: [AdapterExport.Tensor] = []
    private(set) var modules = 0
    private(set) var saved = 0
    /// Changed tensors that the adapter does not hold.
    private(set) var leftOut: [String] = []

    /// The adapter that was packed.
    init(_ adapter: AdapterRecord, _ source: ExportSource) throws(SiltError) {
        config = adapter.config
        for tensor in adapter.tensors {
            switch (AdapterTensorName(tensor.name).part, tensor.source) {
            case (.lowRank(isFirst: true), _), (.embedding(isFirst: true), _): modules += 1
            case (.lowRank, _), (.embedding, _): break
            // Whatever its name.
            case (_, .factor(.left, _, _)): modules += 1
            case (_, .factor): break
            default: saved += 1
            }
            switch tensor.source {
            case .result(let of):
                let record = try source.record(of)
                tensors.append(.init(tensor.name, record.info) { () throws(SiltError) in try source.whole(record) })
            case .stored(let stored):
                tensors.append(
                    .init(tensor.name, stored.info) { (sink) throws(SiltError) in
                        try source.stored(stored, tensor.name, sink)
                    })
            case .factor(let factor, let of, let transposed):
                let record = try source.record(of)
                guard let product = record.parts.flatMap(\.components).compactMap(\.product).first else { continue }
                let matrix = factor == .left ? product.left : product.right
                let dtype = ExportPlan.dtype(matrix)
                let shape = ExportPlan.shape(record, factor, rank: product.rank, transposed: transposed)
                guard let info = TensorInfo(dtype: dtype, shape: shape) else { continue }
                tensors.append(
                    .init(tensor.name, info) { () throws(SiltError) in
                        try source.factor(record, factor, transposed: transposed, as: dtype)
                    })
            }
        }
    }

    /// A new adapter of the tensors that have one low-rank component, and of those that it can have whole.
    init(lowRank source: ExportSource, family: String?, baseModel: String?) throws(SiltError) {
        var builder = AdapterConfigurationBuilder()
        builder.baseModel = baseModel
        var adapted: Set<String> = []
        var others: [TensorRecord] = []
        for record in source.container.manifest.tensors {
            guard let product = ExportSource.product(record),
                let style = AdapterModuleStyle(of: record.name, shape: record.info.shape, family: family),
                style != .embedding
            else {
                if !ExportPlan.isUnchanged(record) { others.append(record) }
                continue
            }
            let path = String(record.name.dropLast(".weight".count))
            adapted.insert(path)
            modules += 1
            builder.modules.append(.init(path: path, rank: product.rank))
            if style == .turnedLinear { builder.isFanInFanOut = true }
            for part in style.tensors(of: record.name, shape: record.info.shape, rank: product.rank) {
                guard let info = TensorInfo(dtype: .f32, shape: part.shape) else { continue }
                // The configuration says alpha = r: the product's own scale goes into one factor.
                let scale = part.isLeft ? product.scale.map { Float($0) } ?? 1 : 1
                tensors.append(
                    .init(part.name, info) { () throws(SiltError) in
                        try source.factor(
                            record, part.isLeft ? .left : .right, transposed: part.isTransposed, as: .f32, scale: scale)
                    })
            }
        }
        try saveWhole(others, adapted, source, &builder)
        config = builder.text
    }

    /// Takes in the modules of changed tensors as a whole: PEFT saves modules, not tensors.
    private mutating func saveWhole(
        _ changed: [TensorRecord], _ adapted: Set<String>, _ source: ExportSource,
        _ builder: inout AdapterConfigurationBuilder
    ) throws(SiltError) {
        let all = source.container.manifest.tensors
        var done: Set<String> = []
        for record in changed {
            let path = record.name.split(separator: ".").dropLast().joined(separator: ".")
            guard !path.isEmpty, done.insert(path).inserted else { continue }
            let members = all.filter { $0.name.split(separator: ".").dropLast().joined(separator: ".") == path }
            if adapted.contains(path) {
                // The bias of an adapted layer.
                for member in members where member.name == path + ".bias" {
                    guard source.canRebuild(member) else {
                        leftOut.append(member.name)
                        continue
                    }
                    builder.hasBiases = true
                    save(member, as: path + ".base_layer.bias", source)
                }
                continue
            }
            guard members.allSatisfy(source.canRebuild) else {
                leftOut += members.filter { !ExportPlan.isUnchanged($0) }.map(\.name)
                continue
            }
            builder.modulesToSave.append(path)
            for member in members { save(member, as: member.name, source) }
        }
    }

    private mutating func save(_ record: TensorRecord, as name: String, _ source: ExportSource) {
        saved += 1
        tensors.append(
            .init(AdapterTensorName.prefix + name, record.info) { () throws(SiltError) in try source.whole(record) })
    }

    /// Whether the result's tensor is the base's.
    private static func isUnchanged(_ record: TensorRecord) -> Bool {
        record.parts.allSatisfy { $0.kind == .copy && $0.components.isEmpty }
    }

    /// The dtype that keeps a factor's values; F32 where they are not stored as they are.
    private static func dtype(_ matrix: MatrixRecord) -> DType {
        guard matrix.coding.q == nil else { return .f32 }
        switch matrix.coding.values.type {
        case .f16: return .f16
        case .bf16: return .bf16
        default: return .f32
        }
    }

    /// The shape of the adapter's tensor; convolutions keep their kernel in one factor and ones in the other.
    private static func shape(
        _ record: TensorRecord, _ factor: AdapterRecord.Tensor.Factor, rank: Int, transposed: Bool
    ) -> [Int] {
        // A scalar is a matrix of one row and one column.
        let shape = record.info.shape.isEmpty ? [1] : record.info.shape
        let row = Array(shape.dropFirst())
        let isKernel = shape.count > 2
        switch (factor, transposed) {
        case (.right, false): return [rank] + row
        case (.left, true): return [shape[0], rank] + (isKernel ? row.dropFirst().map { _ in 1 } : [])
        case (.left, false): return [rank, shape[0]]
        case (.right, true): return row + [rank]
        }
    }
}

extension ComponentRecord {
    /// The product of a low-rank component.
    package var product: LowRankRecord? {
        if case .lowRank(let product) = self { product } else { nil }
    }
}

extension Checkpoint {
    /// `model_type` of config.json, if there is one.
    var modelType: String? {
        guard form == .directory, files.contains("config.json"),
            let source = try? source("config.json"), let file = try? JSONFile(source),
            case .string(let type)? = file.value["model_type"]
        else { return nil }
        return type
    }
}
