import Silt

/// Looks into a model that exists only as a Silt file over its base: `ReadTensor BASE FILE.silt [TENSOR]`.
@main
enum ReadTensor {
    static func main() throws {
        let words = CommandLine.arguments.dropFirst()
        guard let base = words.first, let path = words.dropFirst().first else {
            return print("usage: ReadTensor BASE FILE.silt [TENSOR]")
        }
        // Headers, chunk table and manifest: no weight is read yet.
        let delta = try SiltFile(at: path)
        let model = try delta.over(Checkpoint(at: base))

        // One tensor, verified against the digests of base and result.
        let name = words.dropFirst(2).first ?? delta.tensorNames[0]
        let bytes = try model.tensor(name)
        print("\(name): \(model.info(of: name)?.description ?? ""), \(bytes.count) bytes")

        // Some of its rows, and any bytes of any file: only what they touch is decoded.
        if let rows = model.info(of: name)?.shape.first, rows > 1 {
            print("first row: \(try model.rows(0..<1, of: name).count) bytes")
        }
        for file in delta.fileNames {
            let file = try model.file(file)
            print("\(file.name): \(file.size) bytes, begins with \(try file.read(0..<min(8, file.size)))")
        }
    }
}
