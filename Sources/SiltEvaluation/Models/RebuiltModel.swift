internal import ByteSources
internal import DeltaKernels
internal import SiltFormat
internal import Synchronization
internal import TensorTypes
internal import Transformers

/// A model that is rebuilt into memory, piece by piece, by several threads.
final class RebuiltModel: @unchecked Sendable {
    /// A tensor that is being filled: every piece has its own place.
    @safe private struct Target {
        let record: TensorRecord
        let values: FloatTensor
        let start: UnsafeMutablePointer<Float>
    }

    private let targets: [ByteName: Target]
    private let order: [ByteName]
    /// Places of the files whose tensors are the model's; nil: all.
    private let files: Set<Int>?
    private let configurationFile: Int?
    private let configurationBytes: Mutex<[UInt8]>

    /// - Parameter files: the files whose tensors are the model's; nil: all.
    init(_ manifest: Manifest, files: Set<ByteName>?) {
        var targets: [ByteName: Target] = [:]
        var order: [ByteName] = []
        let taken = manifest.files.filter { file in files?.contains(ByteName(file.path)) ?? true }
        for record in taken.flatMap(RebuiltModel.tensors) where record.info.dtype.isPredictable {
            var start: UnsafeMutablePointer<Float>?
            let values = unsafe FloatTensor(shape: record.info.shape) { unsafe start = $0 }
            guard let start = unsafe start else { continue }
            targets[ByteName(record.name)] = unsafe Target(record: record, values: values, start: start)
            order.append(ByteName(record.name))
        }
        self.targets = targets
        self.order = order
        self.files = files.map { names in
            Set(manifest.files.indices.filter { names.contains(ByteName(manifest.files[$0].path)) })
        }
        configurationFile = manifest.files.firstIndex { file in
            guard case .safetensors = file.content else {
                return file.path == "config.json" && file.bytes <= JSONFile.configurationLimit
            }
            return false
        }
        let size = configurationFile.map { manifest.files[$0].bytes } ?? 0
        configurationBytes = Mutex([UInt8](repeating: 0, count: size))
    }

    private static func tensors(of file: FileRecord) -> [TensorRecord] {
        if case .safetensors(_, let tensors) = file.content { tensors } else { [] }
    }

    /// Takes a piece of a tensor or of a file.
    func add(_ bytes: UnsafeRawBufferPointer, file: Int, at offset: Int, tensor: String?) {
        guard let source = bytes.baseAddress else { return }
        guard let tensor else {
            guard file == configurationFile else { return }
            configurationBytes.withLock { target in
                for index in bytes.indices where offset + index < target.count {
                    unsafe target[offset + index] = bytes[index]
                }
            }
            return
        }
        guard files?.contains(file) ?? true, let target = targets[ByteName(tensor)] else { return }
        let dtype = target.record.info.dtype
        let first = (offset - target.record.range.lowerBound) / dtype.elementBytes
        unsafe FloatConversion.convert(
            source, dtype, to: UnsafeMutableRawPointer(target.start + first), .f32,
            count: bytes.count / dtype.elementBytes)
    }

    /// The bytes of config.json; nil if the file has none.
    var configuration: [UInt8]? { configurationFile == nil ? nil : configurationBytes.withLock { $0 } }

    /// The tensors, once all is added.
    var weights: WeightTable {
        var table = WeightTable()
        for name in order { table[name.string] = targets[name]?.values }
        return table
    }
}
