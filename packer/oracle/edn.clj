;; The JVM's edn readers and printer behind a pipe: one question a line, `op base64`, one answer a
;; line, `ok base64` or `no base64` with the reason.
;;
;;   tree   reads exactly one value and gives its tree (tree_test.go)
;;   print  reads one value and prints it as Sente does
;;   short  the same with namespaced maps, as a REPL's thread prints

(require '[clojure.tools.reader.edn :as edn]
         '[clojure.tools.reader.reader-types :as types])

(import '(java.nio ByteBuffer)
        '(java.nio.charset CodingErrorAction StandardCharsets)
        '(java.util Base64 Date UUID)
        '(clojure.lang BigInt Ratio TaggedLiteral))

(set! *warn-on-reflection* true)

(defn put-text [^StringBuilder b ^String s]
  (dotimes [i (.length s)]
    (let [c (.charAt s i)]
      (if (and (< 32 (int c) 127) (not= c \() (not= c \)) (not= c \\))
        (.append b c)
        (.append (.append b "\\u") (subs (Integer/toHexString (+ 0x10000 (int c))) 1))))))

(declare put)

(defn put-all [^StringBuilder b kind xs]
  (.append b "(") (.append b ^String kind)
  (doseq [x xs] (.append b " ") (put b x))
  (.append b ")"))

(defn put-leaf [^StringBuilder b kind text]
  (.append b "(") (.append b ^String kind) (.append b " ")
  (put-text b text)
  (.append b ")"))

(defn put [^StringBuilder b x]
  (cond
    (nil? x) (.append b "(nil)")
    (true? x) (.append b "(true)")
    (false? x) (.append b "(false)")
    (string? x) (put-leaf b "s" x)
    (keyword? x) (put-leaf b "k" (subs (str x) 1))
    (or (instance? Long x) (instance? BigInt x)) (put-leaf b "i" (str x))
    (instance? Double x) (put-leaf b "d" (format "%016x" (Double/doubleToLongBits x)))
    (decimal? x) (put-leaf b "m" (str x))
    (instance? Ratio x) (put-leaf b "r" (str x))
    (char? x) (put-leaf b "c" (str x))
    (symbol? x) (put-leaf b "y" (str x))
    (instance? UUID x) (put-leaf b "u" (str x))
    (instance? Date x) (put-leaf b "t" (str (.getTime ^Date x)))
    (vector? x) (put-all b "v" x)
    (map? x) (put-all b "map" (mapcat identity x))
    (set? x) (put-all b "set" x)
    (seq? x) (put-all b "l" x)
    (instance? TaggedLiteral x) (put-all b "tag" [(:tag x) (:form x)])
    :else (throw (ex-info (str "no tree for " (class x)) {}))))

(defn text [^bytes bs]
  (str (.decode (doto (.newDecoder StandardCharsets/UTF_8)
                  (.onMalformedInput CodingErrorAction/REPORT))
                (ByteBuffer/wrap bs))))

(def options {:eof ::eof :default tagged-literal})

(defn only [s]
  (let [in (types/string-push-back-reader s)
        x  (edn/read options in)]
    (when (= x ::eof) (throw (ex-info "nothing" {})))
    (when (not= (edn/read options in) ::eof) (throw (ex-info "more than one" {})))
    x))

(defn answer [op bs]
  (let [x (only (text bs))]
    (case op
      "tree"  (str (doto (StringBuilder.) (put x)))
      "print" (binding [*print-namespace-maps* false] (pr-str x))
      "short" (binding [*print-namespace-maps* true] (pr-str x)))))

(let [in  (java.io.BufferedReader. *in*)
      out (java.io.PrintStream. (java.io.FileOutputStream. java.io.FileDescriptor/out) false)]
  (loop []
    (when-let [line (.readLine in)]
      (let [[op b64] (.split ^String line " " 2)
            [word ^String s]
            (try ["ok" (answer op (.decode (Base64/getDecoder) ^String b64))]
                 (catch Throwable e ["no" (str e)]))]
        (.print out (str word " " (.encodeToString (Base64/getEncoder) (.getBytes s "UTF-8")) "\n"))
        (when-not (.ready in) (.flush out)))
      (recur))))
(shutdown-agents)
