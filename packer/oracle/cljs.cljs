;; ClojureScript's readers and printers behind a pipe, by nbb.
;;
;;   edn-tree      reads edn and gives its tree
;;   transit-tree  reads transit, as Sente's client does, and gives its tree
;;   print         reads edn and prints it
;;   transit       reads edn and writes transit, with the cache

(ns oracle
  (:require [clojure.edn :as edn]
            [cognitect.transit :as transit]
            ["./serve.mjs" :refer [serve]]
            ["./tree.mjs" :refer [branch leaf number]]))

(defn tagged [x]
  (let [tag (.-tag x), rep (.-rep x)]
    (case tag
      "n" (leaf "i" rep)
      "f" (leaf "m" rep)
      "r" (leaf "uri" rep)
      "ratio" (leaf "r" (str (.-rep (first rep)) "/" (.-rep (second rep))))
      nil)))

(declare tree)

(defn trees [kind xs] (branch kind (into-array (map tree xs))))

(defn tree [x]
  (cond
    (nil? x) "(nil)"
    (true? x) "(true)"
    (false? x) "(false)"
    (string? x) (leaf "s" x)
    (number? x) (number x)
    (keyword? x) (leaf "k" (subs (str x) 1))
    (symbol? x) (leaf "y" (str x))
    (uuid? x) (leaf "u" (str x))
    (inst? x) (leaf "t" (inst-ms x))
    (vector? x) (trees "v" x)
    (map? x) (trees "map" (mapcat identity x))
    (set? x) (trees "set" x)
    (seq? x) (trees "l" x)
    (tagged-literal? x) (trees "tag" [(:tag x) (:form x)])
    (instance? js/Uint8Array x) (leaf "b" (.toString (js/Buffer.from x) "hex"))
    (some? (.-tag x)) (or (tagged x) (trees "tag" [(symbol (.-tag x)) (.-rep x)]))
    (re-matches #"-?\d+" (.toString x)) (leaf "i" (.toString x)) ; a goog.math.Long
    :else (throw (js/Error. (str "no tree for " (pr-str x))))))

(def reader (transit/reader :json))
(def writer (transit/writer :json))

(def read-edn (partial edn/read-string {:default tagged-literal}))

(serve
 (fn [op bytes]
   (let [s (.toString bytes)]
     (case op
       "edn-tree" (tree (read-edn s))
       "transit-tree" (tree (transit/read reader s))
       "print" (pr-str (read-edn s))
       "transit" (transit/write writer (read-edn s))))))
