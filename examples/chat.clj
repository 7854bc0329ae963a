;; A chat backend: clojure chat.clj SOCKET    (JDK 16 or newer, nothing but Clojure)
;;
;;   [:chat/send {:text "hi"}]              everybody gets [:chat/message {:from uid :text "hi"}]
;;   [:chat/send {:text "hi" :room "r1"}]   the members of the room get it
;;   [:chat/join {:room "r1"}]              makes this client a member
;;
;; Who comes is greeted with [:chat/welcome {:you uid}].
;; Each event is answered {:ok true} or {:ok false}.
(ns chat
  (:require [clojure.edn :as edn]
            [clojure.java.io :as io]
            [clojure.string :as str])
  (:import (java.net UnixDomainSocketAddress)
           (java.nio.channels Channels SocketChannel)))

;; The lines are JSON objects, the values in them edn: no JSON library is needed.

(defn quoted [s]
  (str/replace (pr-str s) #"\p{Cntrl}" #(format "\\u%04x" (int (first %)))))

(defn json "A request as JSON, from a map of strings, numbers, booleans and nil." [request]
  (let [value #(cond (string? %) (quoted %) (nil? %) "null" :else (str %))]
    (str "{" (str/join "," (for [[k v] request] (str (quoted (name k)) ":" (value v)))) "}")))

(defn parse "A line as a map. JSON is edn but for its colons and null." [line]
  (let [inside (volatile! false)]
    (edn/read-string (str/replace line #"\\.|\"|:|null"
                                  #(case %
                                     "\"" (do (vswap! inside not) %)
                                     ":" (if @inside % " ")
                                     "null" (if @inside % "nil")
                                     %)))))

(defn heard "Does what a client's event asks for; false = it makes no sense." [say told]
  (let [[id data] (edn/read-string {:default tagged-literal} (get told "edn" "nil"))
        {:keys [text room]} (when (map? data) data)
        uid (told "uid")]
    (cond
      (not (or (nil? room) (and (string? room) (<= 1 (count room) 50)))) false
      (and (= id :chat/join) room)
      (do (say {:op "join" :uid uid :client (told "client") :topic (str "room:" room)}) true)
      (and (= id :chat/send) (string? text))
      (do (say (assoc (if room {:topic (str "room:" room)} {:all true})
                      :op "push" :edn (pr-str [:chat/message {:from uid :text text}])))
          true)
      :else false)))

(defn run "Serves one connection to chskd until it ends." [path]
  (with-open [channel (SocketChannel/open (UnixDomainSocketAddress/of ^String path))
              in (io/reader (Channels/newInputStream channel) :encoding "UTF-8")
              out (io/writer (Channels/newOutputStream channel) :encoding "UTF-8")]
    (let [say #(doto out (.write (str (json %) "\n")) .flush)]
      (say {:op "subscribe" :format "edn" :presence true :ack true :ref "subscribe"})
      (reduce
       (fn [state line]
         (let [{:strs [type uid ref reply_to seq epoch consumer] :as told} (parse line)]
           (case type
             "hello" (assoc state :stream {:epoch epoch :consumer consumer})
             ("live" "resync") (assoc state :live (= type "live"))
             "open" (do (when (and uid (:live state)) ; who was there before us has been greeted
                          (say {:op "push" :uid uid :edn (pr-str [:chat/welcome {:you uid}])}))
                        state)
             ("event" "bad-event")
             (let [ok (try (heard say told) (catch RuntimeException _ false))]
               (when reply_to (say {:op "reply" :reply_to reply_to :edn (pr-str {:ok ok})}))
               ;; Without this, whoever takes our place would be given the event again.
               (say (assoc (:stream state) :op "ack" :seq seq))
               state)
             ("error" "gap")
             (do (binding [*out* *err*] (println "chat:" line))
                 (if (= ref "subscribe") (reduced state) state))
             state)))
       {} (line-seq in)))))

(while true ; chskd may be started after us, and again
  (try (run (first *command-line-args*))
       (catch java.io.IOException why (binding [*out* *err*] (println "chat:" (.getMessage why)))))
  (Thread/sleep 500))
