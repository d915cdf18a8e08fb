// swift-tools-version: 6.2
// Silt: delta checkpoints. Targets stand in the order of their layer; imports go down only (Docs/Architecture.md).
import PackageDescription

/// Continuous integration sets this: every warning is an error.
let isStrict = Context.environment["SILT_STRICT"] != nil

/// One list for every Swift target, so that no target is held to less than another.
let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .strictMemorySafety(),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (isStrict ? [.treatAllWarnings(as: .error)] : [])

/// C is held to the same: all of the usual warnings.
let cSettings: [CSetting] =
    [.enableWarning("all"), .enableWarning("extra")] + (isStrict ? [.treatAllWarnings(as: .error)] : [])

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

/// `make fuzz` sets this: only then is there a program that has libFuzzer's entry point to link against.
let isFuzzing = Context.environment["SILT_FUZZ"] != nil

let fuzzer: [Target] =
    isFuzzing
    ? [
        .executableTarget(
            name: "Fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzzing/Runner",
            swiftSettings: settings)
    ] : []

let package = Package(
    name: "silt",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Silt", targets: ["Silt"]),
        .library(name: "Safetensors", targets: ["Safetensors"]),
        .executable(name: "silt", targets: ["SiltCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // Level 0: C.
        .systemLibrary(
            name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]),
        .systemLibrary(
            name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"]), .brew(["xxhash"])]),
        .systemLibrary(
            name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
        .systemLibrary(
            name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        .target(name: "CSiltKernels", cSettings: cSettings),
        // Level 1: words that every layer uses; the operating system.
        .target(name: "TensorTypes", dependencies: ["CCrypto", "CSiltKernels", "CXXHash"], swiftSettings: settings),
        .target(name: "SystemCalls", swiftSettings: settings),
        // Level 2: bytes in and out; commands; span-to-span arithmetic; entropy coding; threads. None knows of the others.
        .target(name: "ByteSources", dependencies: ["SystemCalls", "TensorTypes"], swiftSettings: settings),
        .target(name: "Processes", dependencies: ["SystemCalls", "TensorTypes"], swiftSettings: settings),
        .target(name: "DeltaKernels", dependencies: ["CSiltKernels", "TensorTypes"], swiftSettings: settings),
        .target(
            name: "DeltaCodecs", dependencies: ["CLZ4", "CSiltKernels", "CZstd", "TensorTypes"],
            swiftSettings: settings),
        .target(name: "Workers", dependencies: ["TensorTypes", logging], swiftSettings: settings),
        // Level 3: checkpoints as the field stores them; what of a delta to keep.
        .target(name: "Safetensors", dependencies: ["ByteSources", "TensorTypes"], swiftSettings: settings),
        .target(
            name: "DeltaPruning", dependencies: ["COpenBLAS", "DeltaKernels", "TensorTypes"], swiftSettings: settings),
        // Level 4: the container of Formats/Silt.md; models as the field runs them.
        .target(
            name: "SiltFormat", dependencies: ["ByteSources", "DeltaCodecs", "Safetensors", "TensorTypes"],
            swiftSettings: settings),
        .target(
            name: "Transformers",
            dependencies: [
                "COpenBLAS", "CSiltKernels", "DeltaKernels", "DeltaPruning", "Safetensors", "TensorTypes",
            ],
            swiftSettings: settings),
        // Level 5: what a Silt file gives back. Nothing that packs, no BLAS, no Foundation.
        .target(
            name: "SiltReading",
            dependencies: [
                "ByteSources", "DeltaCodecs", "DeltaKernels", "Safetensors", "SiltFormat", "TensorTypes", "Workers",
                logging,
            ],
            swiftSettings: settings),
        // Which tensors of a base predict those of a result, by name and by content.
        .target(
            name: "SiltMatching",
            dependencies: ["ByteSources", "Safetensors", "SiltFormat", "TensorTypes", "Workers", logging],
            swiftSettings: settings),
        // Level 6: what goes in; what models make of what comes back.
        .target(
            name: "SiltPacking",
            dependencies: [
                "ByteSources", "DeltaCodecs", "DeltaKernels", "DeltaPruning", "Safetensors", "SiltFormat",
                "SiltMatching", "SiltReading", "TensorTypes", "Workers", logging,
            ],
            swiftSettings: settings),
        .target(
            name: "SiltEvaluation",
            dependencies: [
                "ByteSources", "DeltaKernels", "Processes", "Safetensors", "SiltFormat", "SiltReading", "TensorTypes",
                "Transformers", "Workers", logging,
            ],
            swiftSettings: settings),
        // Level 7: adapters; other programs' layouts; training; the search for the best way of packing.
        .target(
            name: "SiltAdapters",
            dependencies: [
                "ByteSources", "DeltaCodecs", "DeltaKernels", "Safetensors", "SiltFormat", "SiltPacking",
                "SiltReading", "TensorTypes", "Workers", logging,
            ],
            swiftSettings: settings),
        .target(
            name: "SiltTraining",
            dependencies: [
                "ByteSources", "DeltaKernels", "Safetensors", "SiltEvaluation", "SiltReading", "TensorTypes",
                "Transformers", "Workers", logging,
            ],
            swiftSettings: settings),
        .target(
            name: "SiltTuning",
            dependencies: [
                "ByteSources", "DeltaCodecs", "DeltaKernels", "DeltaPruning", "Processes", "Safetensors",
                "SiltEvaluation", "SiltFormat", "SiltPacking", "SiltReading", "TensorTypes", "Transformers", "Workers",
                logging,
            ],
            swiftSettings: settings),
        // Level 8: other programs' layouts; pages about what was found.
        .target(
            name: "SiltInterop",
            dependencies: [
                "ByteSources", "Safetensors", "SiltAdapters", "SiltReading", "TensorTypes", "Workers", logging,
            ],
            swiftSettings: settings),
        .target(
            name: "SiltReports",
            dependencies: [
                "ByteSources", "DeltaCodecs", "Safetensors", "SiltEvaluation", "SiltFormat", "SiltPacking",
                "SiltReading", "SiltTuning", "TensorTypes", "Workers",
            ],
            swiftSettings: settings),
        // Level 9: the library's face.
        .target(
            name: "Silt", dependencies: ["Safetensors", "SiltReading", "TensorTypes", "Workers"],
            swiftSettings: settings),
        // The program of Docs/ReadingInSwift.md.
        .executableTarget(
            name: "ReadTensor", dependencies: ["Silt"], path: "Docs/Examples/ReadTensor", swiftSettings: settings),
        // Level 10: the command.
        .executableTarget(
            name: "SiltCommand",
            dependencies: [
                "CMalloc", "DeltaPruning", "Processes", "SiltAdapters", "SiltEvaluation", "SiltFormat", "SiltInterop",
                "SiltPacking",
                "SiltReading", "SiltReports", "SiltTraining", "SiltTuning", "TensorTypes", "Workers", arguments,
                logging,
            ],
            swiftSettings: settings),
        // Tests, and what they share.
        .target(
            name: "TestSupport", dependencies: ["ByteSources", "TensorTypes"], path: "Tests/TestSupport",
            swiftSettings: settings),
        .target(
            name: "SceneSupport",
            dependencies: [
                "Safetensors", "SiltPacking", "SiltReading", "TensorTypes", "TestSupport", "Workers", logging,
            ],
            path: "Tests/SceneSupport", swiftSettings: settings),
        .target(
            name: "FuzzTargets",
            dependencies: [
                "ByteSources", "DeltaCodecs", "Safetensors", "SiltAdapters", "SiltFormat", "SiltReading", "TensorTypes",
                "TestSupport", "Workers", logging,
            ],
            path: "Tests/Fuzzing/Targets", swiftSettings: settings),
        .testTarget(
            name: "TestSupportTests", dependencies: ["TensorTypes", "TestSupport"], swiftSettings: settings),
        .testTarget(name: "FuzzingTests", dependencies: ["FuzzTargets", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "TensorTypesTests", dependencies: ["TensorTypes", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "ByteSourcesTests", dependencies: ["ByteSources", "TensorTypes", "TestSupport"],
            swiftSettings: settings),
        .testTarget(name: "ProcessesTests", dependencies: ["Processes", "TensorTypes"], swiftSettings: settings),
        .testTarget(
            name: "DeltaKernelsTests",
            dependencies: ["CSiltKernels", "DeltaCodecs", "DeltaKernels", "TensorTypes", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "DeltaCodecsTests", dependencies: ["CSiltKernels", "DeltaCodecs", "TensorTypes", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "DeltaPruningTests", dependencies: ["DeltaKernels", "DeltaPruning", "TensorTypes", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "SafetensorsTests", dependencies: ["Safetensors", "ByteSources", "TensorTypes", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "SiltFormatTests",
            dependencies: [
                "ByteSources", "CSiltKernels", "DeltaCodecs", "Safetensors", "SiltFormat", "SiltPacking", "SiltReading",
                "TensorTypes", "TestSupport", "Workers", logging,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "TransformersTests",
            dependencies: [
                "CSiltKernels", "Safetensors", "TensorTypes", "TestSupport", "Transformers",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "WorkersTests",
            dependencies: [
                "TensorTypes", "TestSupport", "Workers", logging,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "SiltReadingTests",
            dependencies: [
                "ByteSources", "Safetensors", "SiltFormat", "SiltPacking", "SiltReading", "Workers", "SceneSupport",
                "TensorTypes", "TestSupport", logging,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "SiltMatchingTests",
            dependencies: [
                "Safetensors", "SiltFormat", "SiltMatching", "SiltReading", "Workers", "SceneSupport", "TensorTypes",
                "TestSupport", logging,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "SiltPackingTests",
            dependencies: [
                "ByteSources", "Safetensors", "SiltFormat", "SiltPacking", "SiltReading", "Workers", "SceneSupport",
                "TensorTypes", "TestSupport", logging,
            ],
            exclude: ["Sizes.csv"], swiftSettings: settings),
        .testTarget(
            name: "SiltAdaptersTests",
            dependencies: [
                "ByteSources", "Safetensors", "SiltAdapters", "SiltFormat", "SiltPacking", "SiltReading", "Workers",
                "SceneSupport", "TensorTypes", "TestSupport", logging,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "SiltInteropTests",
            dependencies: [
                "ByteSources", "Safetensors", "SiltInterop", "SiltReading", "Workers", "SceneSupport", "TensorTypes",
                "TestSupport", logging,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "SiltEvaluationTests",
            dependencies: [
                "Safetensors", "SiltEvaluation", "SiltFormat", "SiltReading", "Transformers", "Workers", "SceneSupport",
                "TensorTypes", "TestSupport", logging,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "SiltTrainingTests",
            dependencies: [
                "Safetensors", "SiltEvaluation", "SiltReading", "SiltTraining", "Transformers", "Workers",
                "SceneSupport", "TensorTypes", "TestSupport", logging,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "SiltTuningTests",
            dependencies: [
                "DeltaPruning", "Safetensors", "SiltEvaluation", "SiltFormat", "SiltPacking", "SiltReading",
                "SiltTuning", "Transformers", "Workers", "SceneSupport", "TensorTypes", "TestSupport", logging,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "SiltReportsTests",
            dependencies: [
                "SiltEvaluation", "SiltFormat", "SiltPacking", "SiltReading", "SiltReports", "SiltTuning",
                "TensorTypes",
                "TestSupport", "Workers",
                logging,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "SiltCommandTests",
            dependencies: [
                "Processes", "SiltAdapters", "SiltCommand", "SiltEvaluation", "SiltFormat", "SiltInterop",
                "SiltPacking",
                "SiltReading",
                "SiltReports", "SiltTraining", "SiltTuning", "TensorTypes", "TestSupport", "Workers", arguments,
                logging,
            ],
            swiftSettings: settings),
    ] + fuzzer
)
